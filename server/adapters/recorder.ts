// A run's event log: every event that the coordinator handled, with its time, so that it can be played again to the same
// bits. One record: JSON length, vector length (little-endian u32 each), JSON, float32 vector. A snapshot's vectors are one
// after another, and in its JSON each is its length.

import { createWriteStream, type WriteStream } from 'node:fs';
import { access, readFile, rename } from 'node:fs/promises';
import type { RunConfig } from '../../shared/config.ts';
import type { Vec } from '../../shared/vec.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { RunSnapshot } from '../core/snapshot.ts';
import { byWorker, type State } from '../core/state.ts';

/** What does not move θ is left out: traffic is only counted. */
const LEFT_OUT = new Set<CoordinatorEvent['type']>(['traffic']);

/** An event as it is written: a run's setup is its configuration and its shards, a method its name and its values. */
export type RecordedEvent =
  | Exclude<CoordinatorEvent, { type: 'open' | 'method' }>
  | Omit<Extract<CoordinatorEvent, { type: 'method' }>, 'method'>
  | {
      readonly type: 'open';
      readonly config: RunConfig;
      readonly shardCounts: readonly number[];
      readonly secret?: string;
      readonly boot?: number;
      readonly snapshot?: RunSnapshot;
    };

export interface Recorded {
  readonly nowMs: number;
  readonly event: RecordedEvent;
}

/** Renames a log that is there to the first of `path`.1, .2, … that is free, and returns which; null when there is none. */
export async function setAside(path: string): Promise<string | null> {
  const isThere = (name: string): Promise<boolean> =>
    access(name).then(
      () => true,
      () => false,
    );
  if (!(await isThere(path))) return null;
  let number = 1;
  while (await isThere(`${path}.${number}`)) number += 1;
  await rename(path, `${path}.${number}`);
  return `${path}.${number}`;
}

/** What may wait for the disk: a slow one must not fill the memory. One record may be larger, when nothing waits. */
export const WAITING_BYTES_MAX = 256 * 2 ** 20;

export class Recorder {
  readonly #file: WriteStream;
  readonly #onFailed: (error: Error) => void;
  #failed = false;

  /**
   * `onFailed` is told once, when the file cannot be written any more, or not as fast as events come: what is recorded then
   * goes nowhere. `file` is where they go when it is not to be the disk.
   */
  constructor(path: string, onFailed: (error: Error) => void, file: WriteStream = createWriteStream(path)) {
    this.#file = file;
    this.#onFailed = onFailed;
    this.#file.on('error', (error) => this.#fail(error));
  }

  /** Writes one event. Vectors are copied at once, as the coordinator overwrites them. */
  record(event: CoordinatorEvent, nowMs: number): void {
    if (LEFT_OUT.has(event.type) || this.#failed || this.#file.destroyed) return;
    const vectors = vectorsOf(event);
    const elements = vectors.reduce((sum, { length }) => sum + length, 0);
    const text = Buffer.from(JSON.stringify({ nowMs, event: plain(event) }, writable));
    const record = Buffer.allocUnsafe(8 + text.length + 4 * elements);
    record.writeUInt32LE(text.length, 0);
    record.writeUInt32LE(elements, 4);
    let at = 8 + text.copy(record, 8);
    for (const vector of vectors) {
      at += Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).copy(record, at);
    }
    const { writableLength: waiting } = this.#file;
    if (waiting === 0 || waiting + record.length <= WAITING_BYTES_MAX) this.#file.write(record);
    else this.#fail(new Error(`the disk is too slow: ${Math.round(waiting / 2 ** 20)} MiB wait for it`));
  }

  async close(): Promise<void> {
    if (this.#file.closed || this.#failed) return;
    const closed = new Promise<void>((resolve) => this.#file.once('close', () => resolve()));
    this.#file.end();
    await closed;
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#file.destroy();
    this.#onFailed(error);
  }
}

/** What an event has beside text. */
function vectorsOf(event: CoordinatorEvent): readonly Vec[] {
  switch (event.type) {
    case 'push':
      return [event.vector];
    case 'trusted':
      return event.vector ? [event.vector] : [];
    case 'open':
      return event.snapshot ? [...vectorsIn(event.snapshot.state)] : [];
    default:
      return [];
  }
}

function* vectorsIn(state: State): Generator<Vec> {
  for (const value of Object.values(state)) {
    if (value instanceof Float32Array) yield value;
    else if (typeof value === 'object') yield* vectorsIn(value);
  }
}

/** A state with the length of each vector in its place, as pairs: nothing in it can pass for a property of an object. */
type ToldState = [name: string, told: number | { readonly vector: number } | ToldState][];

const told = (state: State): ToldState =>
  Object.entries(state).map(([name, value]) => {
    if (typeof value === 'number') return [name, value];
    return [name, value instanceof Float32Array ? { vector: value.length } : told(value)];
  });

/** The state again; `take` gives its vectors, in order. */
function stateOf(pairs: ToldState, take: (length: number) => Vec): State {
  const state = byWorker<State[string]>();
  for (const [name, value] of pairs) {
    if (typeof value === 'number') state[name] = value;
    else state[name] = Array.isArray(value) ? stateOf(value, take) : take(value.vector);
  }
  return state;
}

/** JSON knows no number that is not finite. */
const NOT_FINITE = '$number';
const writable = (_name: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? { [NOT_FINITE]: String(value) } : value;
const readable = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && NOT_FINITE in value ? Number(value[NOT_FINITE]) : value;

/** An event without what has a place of its own in the record, or is made again from its name. */
function plain(event: CoordinatorEvent): object {
  switch (event.type) {
    case 'open': {
      const { config, shardCounts, secret } = event.setup;
      // Who was let in is in the events: a log that is handed on has no join code in it.
      const open: RunConfig = { ...config, admission: { kind: 'open' } };
      const { snapshot, boot } = event;
      const resumed = snapshot && { ...snapshot, config: open, state: told(snapshot.state) };
      return { type: 'open', config: open, shardCounts, secret, boot, snapshot: resumed };
    }
    case 'push':
    case 'trusted':
      return { ...event, vector: undefined };
    case 'method':
      return { ...event, method: undefined };
    default:
      return event;
  }
}

/** The events of a log, in order. A last record that was cut short by a crash is left out. */
export async function readRecording(path: string): Promise<Recorded[]> {
  const bytes = await readFile(path);
  const records: Recorded[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const textEnd = at + 8 + bytes.readUInt32LE(at);
    const end = textEnd + 4 * bytes.readUInt32LE(at + 4);
    if (end > bytes.length) break;
    const { nowMs, event } = JSON.parse(bytes.toString('utf8', at + 8, textEnd), readable) as Recorded;
    const vector = new Float32Array(
      bytes.subarray(textEnd, end).buffer.slice(bytes.byteOffset + textEnd, bytes.byteOffset + end),
    );
    records.push({ nowMs, event: withVectors(event, vector) });
    at = end;
  }
  return records;
}

/** The event with what was written beside its text. */
function withVectors(event: RecordedEvent, vector: Vec): RecordedEvent {
  switch (event.type) {
    case 'push':
      return { ...event, vector };
    case 'trusted':
      return { ...event, vector: vector.length > 0 ? vector : null };
    case 'open': {
      if (!event.snapshot) return event;
      let at = 0;
      const take = (length: number): Vec => vector.slice(at, (at += length));
      const state = stateOf(event.snapshot.state as unknown as ToldState, take);
      return { ...event, snapshot: { ...event.snapshot, state } };
    }
    default:
      return event;
  }
}
