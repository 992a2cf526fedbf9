// The curves of a run, in bounded memory: at most one point a second, and when there are too many, every second one of
// the older half goes. Points are numbered, so that a reader asks for what came after its last.

import type { MetricPoint, MetricsPage } from '../../shared/protocol/snapshots.ts';

export const POINT_EVERY_MS = 1000;
/** An hour at full detail, a day at half an hour's: enough for a screen, 300 kB. */
export const POINTS_MAX = 3600;

export class History {
  #points: { readonly number: number; readonly point: MetricPoint }[] = [];
  #next = 0;

  add(point: MetricPoint): void {
    this.#points.push({ number: this.#next++, point });
    if (this.#points.length <= POINTS_MAX) return;
    const half = this.#points.length >> 1;
    this.#points = this.#points.filter((_, index) => index >= half || index % 2 === 0);
  }

  /** The points numbered `since` and later. */
  page(since: number): MetricsPage {
    return { points: this.#points.filter(({ number }) => number >= since).map(({ point }) => point), next: this.#next };
  }
}
