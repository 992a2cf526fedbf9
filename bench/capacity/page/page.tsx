// The dashboard's own charts, fed by hand: `firstPaint` shows a long run, `stream` adds a point to every series ten times a second.

import '@radix-ui/themes/styles.css';
import 'uplot/dist/uPlot.min.css';
import '../../../client/page/page.css';
import '../../../client/dashboard/dashboard.css';
import { Theme } from '@radix-ui/themes';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { Charts } from '../../../client/dashboard/charts.tsx';
import { CHARTS } from '../../../client/dashboard/chart-specs.ts';
import { curves, store } from '../../../client/dashboard/model.ts';
import type { MetricPoint } from '../../../shared/protocol/snapshots.ts';

const EVERY_MS = 100;
const SERIES = CHARTS.reduce((sum, { series }) => sum + series.length, 0);

let points = 0;
function point(): MetricPoint {
  points += 1;
  const wave = 1 + 0.2 * Math.sin(points / 50) + 0.1 * Math.sin(1.7 * points);
  return {
    ...{ timeMs: EVERY_MS * points, version: 10 * points, samples: 640 * points },
    ...{ trainLoss: wave, validationLoss: 1.1 * wave, accuracy: 0.5 * wave, lagMean: 8 * wave, gapMean: 0.01 * wave },
    ...{ updatesPerSecond: 100 * wave, samplesPerSecond: 6400 * wave, workers: 40 },
  };
}

function show(added: readonly MetricPoint[]): void {
  curves.merge({ points: added, next: points });
  store.patch({ curveRevision: curves.revision });
}

/** After the next frame has been painted. */
const painted = (): Promise<number> =>
  new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))));

/** From so many points of every series in memory to all charts painted, in milliseconds. */
async function firstPaint(count: number): Promise<number> {
  const run = Array.from({ length: count }, point);
  await painted();
  const beganMs = performance.now();
  show(run);
  flushSync(() => createRoot(document.getElementById('root')!).render(<Boards count={1} />));
  return (await painted()) - beganMs;
}

/** So many series at least, as boards of four charts that have so many points already; how many they are. */
async function stream(series: number, from: number): Promise<number> {
  const count = Math.ceil(series / SERIES);
  show(Array.from({ length: from }, point));
  flushSync(() => createRoot(document.getElementById('root')!).render(<Boards count={count} />));
  await painted();
  setInterval(() => show([point()]), EVERY_MS);
  return count * SERIES;
}

function Boards({ count }: { count: number }) {
  return (
    <Theme accentColor="teal" grayColor="slate">
      {Array.from({ length: count }, (_, board) => (
        <Charts key={board} />
      ))}
    </Theme>
  );
}

Object.assign(window, { firstPaint, stream });
