// Notes of who came and went, of hellos that were refused, and of measurements: what the coordinator itself does not note, as
// it decides nothing by it.

import type { RunId, WorkerId } from '../../shared/ids.ts';
import { asWorkerId } from '../../shared/ids.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { Door, Note } from '../door.ts';

/** Who is silent is found out by looking; refused hellos are summed up for as long. */
const LOOK_EVERY_MS = 10_000;
/** The curves have every measurement. */
const MEASURED_EVERY_MS = 60_000;

export interface AttendanceOptions {
  readonly door: Pick<Door, 'workers' | 'turned'>;
  readonly note: (note: Note) => void;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
}

export class Attendance {
  readonly #options: AttendanceOptions;
  /** Of each run, who is here: no more than the run has workers, and those of the last look. */
  readonly #here = new Map<RunId, Set<string>>();
  readonly #measuredMs = new Map<RunId, number>();
  #turned: ReturnType<Door['turned']> = {};
  readonly #timer: NodeJS.Timeout;

  constructor(options: AttendanceOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Those that a resumed run remembers have not come yet. */
  follow(run: RunId): void {
    this.#here.set(run, new Set());
  }

  handled(event: CoordinatorEvent): void {
    if (event.type === 'join')
      this.#came(event.run, event.worker, `${event.name} joined, on ${event.device.backend}`.trimStart());
    if (event.type === 'leave') this.#went(event.run, event.worker, 'it said goodbye');
    if (event.type === 'evaluated') this.#measured(event);
  }

  look(): void {
    for (const [run, here] of this.#here) {
      const rows = this.#options.door.workers(run);
      for (const { id, name, state, standing } of rows) {
        if (standing.banned !== null)
          this.#here.get(run)?.delete(asWorkerId(id)); // the ban is an event of its own
        else if (state === 'gone') this.#went(run, asWorkerId(id), 'it was silent for too long');
        else this.#came(run, asWorkerId(id), `${name} is back`.trimStart());
      }
      const known = new Set(rows.map(({ id }) => id));
      for (const id of here) if (!known.has(id)) here.delete(id);
    }
    this.#refusals();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #came(run: RunId, worker: WorkerId, text: string): void {
    const here = this.#here.get(run);
    if (!here || here.has(worker)) return;
    here.add(worker);
    this.#options.note({ run, kind: 'joined', worker, text });
  }

  #went(run: RunId, worker: WorkerId, text: string): void {
    if (this.#here.get(run)?.delete(worker)) this.#options.note({ run, kind: 'left', worker, text });
  }

  #refusals(): void {
    const now = { ...this.#options.door.turned() };
    const counts = Object.entries(now)
      .map(([why, count]) => [why, count - (this.#turned[why as keyof typeof now] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    this.#turned = now;
    if (counts.length === 0) return;
    const text = `turned away in ${LOOK_EVERY_MS / 1000} s: ${counts.map(([why, count]) => `${count} ${why}`).join(', ')}`;
    this.#options.note({ run: null, kind: 'refused', worker: null, text });
  }

  #measured({ run, split, version, loss, accuracy }: Extract<CoordinatorEvent, { type: 'evaluated' }>): void {
    const nowMs = this.#options.nowMs();
    const last = this.#measuredMs.get(run) ?? -Infinity;
    if (split === 'validation' && nowMs - last < MEASURED_EVERY_MS) return;
    this.#measuredMs.set(run, nowMs);
    const text = `${split} at version ${version}: loss ${loss.toFixed(4)}, accuracy ${(100 * accuracy).toFixed(2)} %`;
    this.#options.note({ run, kind: 'measured', worker: null, text });
  }
}
