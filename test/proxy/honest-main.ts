// An honest worker in a process of its own: it goes on pushing, and tells its parent how long each exchange took.

import { PlainWorker } from '../server/harness.ts';
import type { Answer, Question } from './honest.ts';

/** The step that it computes. */
const STEP_MS = 10;

const [url] = process.argv.slice(2);
const worker = await PlainWorker.join(url!);
let params = await worker.lease();
const gradient = new Float32Array(params.theta.length).fill(1e-6);
let times: number[] = [];
let sinceMs = performance.now();
const tell = (answer: Answer): void => void process.send!(answer);

process.on('message', (question: Question) => {
  if (question === 'stop') process.exit(0);
  const seconds = (performance.now() - sinceMs) / 1000;
  times.sort((a, b) => a - b);
  tell({ p95Ms: times[Math.floor(0.95 * times.length)] ?? -1, perSecond: times.length / seconds, count: times.length });
  if (question === 'count') return;
  times = [];
  sinceMs = performance.now();
});
tell({ p95Ms: -1, perSecond: 0, count: 0 });

for (;;) {
  const beganMs = performance.now();
  params = (await worker.push(params, gradient)).params ?? (await worker.lease());
  times.push(performance.now() - beganMs);
  await new Promise((resolve) => setTimeout(resolve, STEP_MS));
}
