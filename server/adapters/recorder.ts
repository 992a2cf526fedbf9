// A run's event log: every event that the coordinator handled, with its time, so that it can be played again to the same
// bits. One record: JSON length, vector length (little-endian u32 each), JSON, float32 vector.

import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RunConfig } from '../../shared/config.ts';
import type { CoordinatorEvent } from '../core/events.ts';

/** What does not move θ is left out: traffic is only counted. */
const LEFT_OUT = new Set<CoordinatorEvent['type']>(['traffic']);

/** An event as it is written: a run's setup is its configuration and its shards, a method its name and its values. */
export type RecordedEvent =
  | Exclude<CoordinatorEvent, { type: 'open' | 'method' }>
  | Omit<Extract<CoordinatorEvent, { type: 'method' }>, 'method'>
  | { readonly type: 'open'; readonly config: RunConfig; readonly shardCounts: readonly number[] };

export interface Recorded {
  readonly nowMs: number;
  readonly event: RecordedEvent;
}

export class Recorder {
  readonly #file: WriteStream;

  /** `onFailed` is told once, when the file cannot be written any more: what is recorded then goes nowhere. */
  constructor(path: string, onFailed: (error: Error) => void) {
    this.#file = createWriteStream(path);
    this.#file.on('error', onFailed);
  }

  /** Writes one event. Vectors are copied at once, as the coordinator overwrites them. */
  record(event: CoordinatorEvent, nowMs: number): void {
    if (LEFT_OUT.has(event.type) || this.#file.destroyed) return;
    const vector = event.type === 'push' ? event.vector : new Float32Array(0);
    const text = Buffer.from(JSON.stringify({ nowMs, event: plain(event) }));
    const record = Buffer.allocUnsafe(8 + text.length + vector.byteLength);
    record.writeUInt32LE(text.length, 0);
    record.writeUInt32LE(vector.length, 4);
    text.copy(record, 8);
    Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).copy(record, 8 + text.length);
    this.#file.write(record);
  }

  async close(): Promise<void> {
    if (this.#file.closed) return;
    const closed = new Promise<void>((resolve) => this.#file.once('close', () => resolve()));
    this.#file.end();
    await closed;
  }
}

/** An event without what has a place of its own in the record, or is made again from its name. */
function plain(event: CoordinatorEvent): object {
  switch (event.type) {
    case 'open':
      return { type: 'open', config: event.setup.config, shardCounts: event.setup.shardCounts };
    case 'push':
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
    const { nowMs, event } = JSON.parse(bytes.toString('utf8', at + 8, textEnd)) as Recorded;
    const vector = new Float32Array(
      bytes.subarray(textEnd, end).buffer.slice(bytes.byteOffset + textEnd, bytes.byteOffset + end),
    );
    records.push({ nowMs, event: event.type === 'push' ? { ...event, vector } : event });
    at = end;
  }
  return records;
}
