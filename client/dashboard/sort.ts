// The order of the worker table. Pure. What is not known comes last, whichever way it is sorted.

import type { WorkerRow } from '../../shared/protocol/snapshots.ts';

type Key = string | number | null;

const KEYS = {
  name: (row) => workerName(row),
  backend: (row) => `${row.backend} ${row.adapter}`,
  state: (row) => row.state,
  standing: (row) => ['banned', 'newcomer', 'trusted'].indexOf(row.standing.level),
  cosine: (row) => row.standing.cosine,
  influence: (row) => row.standing.influence,
  checks: (row) => row.standing.failed + row.standing.checked / 1e9,
  clipped: (row) => row.standing.clipped,
  lag: (row) => row.lag.mean,
  gap: (row) => row.gap.mean,
  loss: (row) => row.loss,
  rate: (row) => row.samplesPerSecond,
  pushes: (row) => row.pushes,
  refused: (row) => refusedTotal(row),
  leases: (row) => row.leases,
  bytesIn: (row) => row.bytesIn,
  bytesOut: (row) => row.bytesOut,
} as const satisfies Record<string, (row: WorkerRow) => Key>;

export type SortColumn = keyof typeof KEYS;
export interface Order {
  readonly column: SortColumn;
  readonly descending: boolean;
}

const words = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** A worker without a nickname goes by its id. */
export const workerName = (row: WorkerRow): string => row.name || row.id;

/** Where its row is on the page. */
export const workerAnchor = (id: string): string => `worker-${id}`;

export const refusedTotal = (row: WorkerRow): number => Object.values(row.refused).reduce((a, b) => a + b, 0);

/** "too stale: 3", the most frequent first. */
export function refusedLines(row: WorkerRow): string[] {
  return Object.entries(row.refused)
    .filter(([, times]) => times > 0)
    .sort(([a, m], [b, n]) => n - m || words.compare(a, b))
    .map(([reason, times]) => `${reason.replaceAll('-', ' ')}: ${times}`);
}

/** A sorted copy; equal rows by id, so that rows do not dance. */
export function sortRows(rows: readonly WorkerRow[], { column, descending }: Order): WorkerRow[] {
  const key: (row: WorkerRow) => Key = KEYS[column];
  return [...rows].sort((a, b) => compare(key(a), key(b), descending) || words.compare(a.id, b.id));
}

function compare(a: Key, b: Key, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(String(a), String(b));
  return descending ? -order : order;
}

/** A click on the column that is sorted by turns the order round; numbers begin with the largest, words with A. */
export function nextOrder(order: Order, column: SortColumn): Order {
  if (order.column === column) return { column, descending: !order.descending };
  return { column, descending: !['name', 'backend', 'state', 'standing'].includes(column) };
}
