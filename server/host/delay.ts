// How late the event loop is: by the second, for deciding, and as the 99th percentile of the last minute, for showing.

import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const SECOND_MS = 1000;
/** Two histograms take turns: the one that is read has seen the last 30 to 60 s. */
const TURN_SECONDS = 30;

const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

export class DelayMeter {
  readonly #second = histogram();
  readonly #minutes: [IntervalHistogram, IntervalHistogram] = [histogram(), histogram()];
  readonly #timer: NodeJS.Timeout;
  #turn = 0;
  #atMs = performance.now();

  /** `onSecond` is told how late the loop was in the second that has passed, on average, and in the last minute. */
  constructor(onSecond: (delayMs: number, p99Ms: number) => void) {
    this.#timer = setInterval(() => onSecond(this.#take(), this.p99Ms), SECOND_MS);
    this.#timer.unref();
  }

  /** 99th percentile of the last minute, in milliseconds; 0 before anything was seen. */
  get p99Ms(): number {
    const [older] = this.#minutes;
    return older.count === 0 ? 0 : Math.round(lateMs(older.percentile(99)));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const each of [this.#second, ...this.#minutes]) each.disable();
  }

  #take(): number {
    const nowMs = performance.now();
    const mean = this.#second.count === 0 ? 0 : lateMs(this.#second.mean);
    const own = nowMs - this.#atMs - SECOND_MS; // a loop that stood still has no samples of that time
    this.#atMs = nowMs;
    this.#second.reset();
    this.#turn += 1;
    if (this.#turn % TURN_SECONDS === 0) {
      this.#minutes.reverse();
      this.#minutes[1].reset();
    }
    return Math.max(mean, own);
  }
}

function histogram(): IntervalHistogram {
  const made = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  made.enable();
  return made;
}
