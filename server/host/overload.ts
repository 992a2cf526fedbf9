// The coordinator watches how late it is, and every run's operator is told when it has too much to do.

import { asRunId } from '../../shared/ids.ts';
import type { Note } from '../door.ts';
import { DelayMeter } from './delay.ts';
import { Load } from './load.ts';

export interface Overload {
  readonly load: Load;
  close(): void;
}

/** `runs` and `note` are asked for only when it begins or ends. */
export function watchLoad(
  busyMs: number,
  told: { readonly runs: () => readonly { readonly id: string }[]; readonly note: (note: Note) => void },
): Overload {
  const load = new Load(busyMs);
  const meter = new DelayMeter((delayMs, p99Ms) => {
    if (!load.second(delayMs, p99Ms)) return;
    const problem = load.problem();
    const kind = problem ? 'trouble' : 'mended';
    const text = problem ? problem.text : 'the coordinator keeps up again';
    for (const { id } of told.runs()) told.note({ run: asRunId(id), kind, worker: null, text });
  });
  return { load, close: () => meter.close() };
}
