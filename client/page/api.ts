// The coordinator's HTTP API, as both pages use it. No state.

import type { ApiError } from '../../shared/protocol/snapshots.ts';

/** A coordinator that says nothing for so long counts as unreachable. */
const TIMEOUT_MS = 8000;

/** `status` 0: no answer at all. The message is fit to be shown. */
export class ApiFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string | undefined;
  /** Sent as JSON. */
  readonly body?: object;
}

/** The JSON of an answer; null for one without a body. A session's cookie goes along by itself. Throws ApiFailure, and nothing else. */
export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = options.token ? { authorization: `Bearer ${options.token}` } : {};
  if (options.body) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      ...(options.body && { body: JSON.stringify(options.body) }),
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiFailure(0, 'The coordinator does not answer.');
  }
  if (response.status === 204) return null as T;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok)
    throw new ApiFailure(response.status, errorText(body) ?? `The coordinator answered ${response.status}.`);
  if (body === null) throw new ApiFailure(0, 'The coordinator gave an answer that is not JSON.');
  return body as T;
}

function errorText(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body as ApiError;
  return typeof error === 'string' && error !== '' ? error : null;
}
