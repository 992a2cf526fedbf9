// Tells the records how the runs are going: the new points of their curves every second, their figures and what their
// workers did every ten. It looks at them as a dashboard does; no push waits for it.

import type { RunId } from '../../shared/ids.ts';
import type { MetricPoint, WorkerRow } from '../../shared/protocol/snapshots.ts';
import type { Door } from '../door.ts';
import type { Records, TimedPoint, WorkerShare } from '../records.ts';

const LOOK_EVERY_MS = 1000;
/** Every so many looks. */
const WORKERS_EVERY = 10;

type Figures = Pick<WorkerShare, 'pushes' | 'samples' | 'refused' | 'bytesIn' | 'bytesOut'>;
const NOTHING: Figures = { pushes: 0, samples: 0, refused: 0, bytesIn: 0, bytesOut: 0 };

interface Followed {
  /** Of the curves. */
  cursor: number;
  /** Of the last point. */
  atMs: number;
  /** Of each worker that the run knows, as it was last told. */
  told: Map<string, Figures>;
}

export interface ChronicleOptions {
  readonly records: Pick<Records, 'run' | 'workers' | 'points'>;
  readonly door: Pick<Door, 'metrics' | 'summary' | 'workers'>;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

export class Chronicle {
  readonly #options: ChronicleOptions;
  readonly #runs = new Map<RunId, Followed>();
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  constructor(options: ChronicleOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** From now on. What a run goes on from has been told by an earlier start. */
  follow(run: RunId): void {
    const { door, records, wallMs } = this.#options;
    const told = new Map(door.workers(run).map((row) => [row.id, figuresOf(row)]));
    this.#runs.set(run, { cursor: door.metrics(run, 0).next, atMs: wallMs(), told });
    records.run(run, door.summary(run));
  }

  look(): void {
    const whole = this.#looks++ % WORKERS_EVERY === WORKERS_EVERY - 1;
    for (const [run, followed] of this.#runs) {
      this.#points(run, followed);
      if (whole) this.#workers(run, followed);
    }
  }

  /** Tells all that is new. */
  close(): void {
    clearInterval(this.#timer);
    for (const [run, followed] of this.#runs) {
      this.#points(run, followed);
      this.#workers(run, followed);
    }
  }

  #points(run: RunId, followed: Followed): void {
    const { records, door, wallMs } = this.#options;
    const { points, next } = door.metrics(run, followed.cursor);
    followed.cursor = next;
    if (points.length > 0) records.points(run, timed(points, followed, wallMs()));
  }

  #workers(run: RunId, followed: Followed): void {
    const { records, door } = this.#options;
    const rows = door.workers(run);
    records.run(run, door.summary(run));
    records.workers(run, sharesOf(rows, followed.told));
    followed.told = new Map(rows.map((row) => [row.id, figuresOf(row)]));
  }
}

/** The last point is of now; the others are as much older as the run says. */
function timed(points: readonly MetricPoint[], followed: Followed, nowMs: number): TimedPoint[] {
  const newest = points.at(-1)!.timeMs;
  return points.map((point) => {
    followed.atMs = Math.max(followed.atMs + 1, Math.round(nowMs - (newest - point.timeMs)));
    return { atMs: followed.atMs, point };
  });
}

const figuresOf = ({ pushes, samples, refused, bytesIn, bytesOut }: WorkerRow): Figures => ({
  ...{ pushes, samples, bytesIn, bytesOut },
  refused: Object.values(refused).reduce((sum, count) => sum + count, 0),
});

/** What each worker did since it was told of; one that was forgotten meanwhile has begun at nothing. */
function sharesOf(rows: readonly WorkerRow[], told: ReadonlyMap<string, Figures>): WorkerShare[] {
  return rows.flatMap((row) => {
    const now = figuresOf(row);
    const known = told.get(row.id);
    const before = known && known.bytesIn <= now.bytesIn && known.bytesOut <= now.bytesOut ? known : NOTHING;
    const share: Figures = {
      pushes: now.pushes - before.pushes,
      samples: now.samples - before.samples,
      refused: now.refused - before.refused,
      bytesIn: now.bytesIn - before.bytesIn,
      bytesOut: now.bytesOut - before.bytesOut,
    };
    const isNew = known === undefined || Object.values(share).some((figure) => figure !== 0);
    return isNew ? [{ worker: row.id, name: row.name, backend: row.backend, ...share }] : [];
  });
}
