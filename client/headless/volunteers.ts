// Several volunteers in one process, each in its own thread: `npm run volunteer`, and the tests.

import type { Backend } from '../../shared/protocol/messages.ts';
import type { VolunteerPhase } from '../../shared/volunteer/view.ts';
import { deviceKeys } from './keys.ts';
import { fetchTrusting, readAuthority } from './authority.ts';
import { OneVolunteer, type End } from './one.ts';
import { findRun } from './run.ts';

/** Each costs a thread with its own TensorFlow.js, some 100 MB. */
export const VOLUNTEERS_MAX = 64;
const CONNECT_MS_MAX = 60_000;

export interface VolunteersOptions {
  /** The coordinator's address, without a slash at its end. */
  readonly url: string;
  /** The first that is running, when not named. */
  readonly run?: string | undefined;
  readonly count: number;
  readonly backend: Extract<Backend, 'wasm' | 'cpu'>;
  /** How many times as long a step takes, for each volunteer in turn; every factor at least 1. Default 1. */
  readonly slowdown?: readonly number[] | undefined;
  /** Of the volunteers: `name`-1, `name`-2 … Default "node". */
  readonly name?: string | undefined;
  /** The run's join code. */
  readonly code?: string | undefined;
  /** File of the device keys; they are made for this process alone when there is none. */
  readonly key?: string | undefined;
  /** File of an authority's certificate (PEM), to trust besides those that the machine knows. */
  readonly ca?: string | undefined;
  /** One line for a person. */
  readonly log?: ((line: string) => void) | undefined;
  /** How long one tries to be let in for the first time before it gives up. Default 60 s. */
  readonly connectMsMax?: number | undefined;
  /** How long one may be without connection after that. Default: as long as it takes. */
  readonly awayMsMax?: number | undefined;
}

export interface VolunteerStats {
  readonly name: string;
  readonly phase: VolunteerPhase;
  readonly steps: number;
  /** Of the pushes that the coordinator accepted. */
  readonly samples: number;
  readonly rejected: number;
  readonly loss: number | null;
  readonly stepMs: number | null;
}

export interface Volunteers {
  /** Gives all leases back and leaves; resolves as `done` does. */
  stop(): Promise<End>;
  /** When the last has left. Not ok when one was refused, broke, or could not connect. Never rejects. */
  readonly done: Promise<End>;
  stats(): VolunteerStats[];
}

export function startVolunteers(options: VolunteersOptions): Volunteers {
  const volunteers: OneVolunteer[] = [];
  const leaving = new AbortController();
  const done = volunteer(options, volunteers, leaving.signal).catch((error: unknown): End => {
    for (const one of volunteers) one.stop();
    if (leaving.signal.aborted) return { ok: true, reason: null };
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  });
  const stop = (): Promise<End> => {
    leaving.abort();
    for (const one of volunteers) one.stop();
    return done;
  };
  return { stop, done, stats: () => volunteers.map(statsOf) };
}

async function volunteer(options: VolunteersOptions, started: OneVolunteer[], signal: AbortSignal): Promise<End> {
  const { url, backend, slowdown = [1], name: prefix = 'node', log = () => undefined } = options;
  const { connectMsMax = CONNECT_MS_MAX, awayMsMax = Infinity } = options;
  const ca = await readAuthority(options.ca);
  const run = options.run ?? (await findRun(url, { signal, connectMsMax, log, fetch: fetchTrusting(ca) }));
  const count = Math.min(options.count, VOLUNTEERS_MAX);
  const keys = await deviceKeys(count, options.key ?? null);
  const joinCode = options.code ?? null;
  if (signal.aborted) return { ok: true, reason: null };
  for (let i = 0; i < count; i++) {
    const factor = slowdown[i % slowdown.length] ?? 1;
    const name = factor === 1 ? `${prefix}-${i + 1}` : `${prefix}-${i + 1} (×${factor})`;
    const onChange = ({ phase, message }: { phase: VolunteerPhase; message: string | null }): void =>
      log(message === null ? `${name}: ${phase}` : `${name}: ${phase}. ${message}`);
    const who = { name, key: keys[i]!, joinCode, ca };
    started.push(
      new OneVolunteer({ ...{ url, run, backend, connectMsMax, awayMsMax, onChange }, ...who, slowdown: factor }),
    );
  }
  const ends = await Promise.all(started.map(({ ended }) => ended));
  const bad = ends.findIndex(({ ok }) => !ok);
  if (bad < 0) return ends[0] ?? { ok: true, reason: null };
  return { ok: false, reason: `${started[bad]!.name}: ${ends[bad]!.reason}` };
}

function statsOf({ name, view }: OneVolunteer): VolunteerStats {
  const { phase = 'checking', steps = 0, samples = 0, rejected = 0, loss = null, stepMs = null } = view ?? {};
  return { name, phase, steps, samples, rejected, loss, stepMs };
}
