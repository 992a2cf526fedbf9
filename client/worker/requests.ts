// HTTP requests with a time limit, whose failures are told in the volunteer machine's terms.

import type { Failure } from '../../shared/volunteer/events.ts';
import { RequestError } from './ports.ts';

export interface RequestOptions {
  readonly limitMs: number;
  /** Waits for new work: of no use once we leave. */
  readonly waits?: boolean;
}

export class Requests {
  readonly #waiting = new Set<AbortController>();
  #closed = false;

  /** The body of an answer of 2xx. Rejects with RequestError for anything else. */
  async bytes(
    url: string,
    init: RequestInit,
    { limitMs, waits = false }: RequestOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const controller = new AbortController();
    if (waits) this.#waiting.add(controller);
    if (waits && this.#closed) controller.abort();
    const timer = setTimeout(() => controller.abort(), limitMs);
    try {
      const response = await fetch(url, { ...init, signal: controller.signal });
      if (!response.ok) throw await refusal(response);
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError({ kind: 'network' }, error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(controller);
    }
  }

  /** Cuts off the requests that wait for new work, now and from now on. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#waiting) controller.abort();
  }
}

async function refusal(response: Response): Promise<RequestError> {
  const { status } = response;
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  const retryAfterMs = seconds >= 0 ? 1000 * seconds : undefined;
  const failure: Failure = { kind: 'status', status, retryAfterMs };
  // The text is read to its end so that the connection can be used again.
  const said = await response.text().catch(() => '');
  return new RequestError(failure, `${status} ${said.slice(0, 200)}`);
}
