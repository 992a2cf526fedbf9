// What all the volunteers of this process have done, on one line.

import type { VolunteerStats } from './volunteers.ts';

export function summaryLine(all: readonly VolunteerStats[], elapsedMs: number): string {
  const sum = (of: (one: VolunteerStats) => number): number => all.reduce((total, one) => total + of(one), 0);
  const training = all.filter(({ phase }) => phase === 'training');
  // What those that have stopped saw last is of an older model.
  const losses = (training.length > 0 ? training : all).flatMap(({ loss }) => (loss === null ? [] : [loss]));
  const loss = losses.length === 0 ? '–' : (losses.reduce((a, b) => a + b) / losses.length).toFixed(3);
  const [steps, samples, rejected] = [sum((one) => one.steps), sum((one) => one.samples), sum((one) => one.rejected)];
  const number = (n: number): string => n.toLocaleString('en');
  const rate = number(Math.round(samples / Math.max(elapsedMs / 1000, 1e-3)));
  return (
    `${training.length} of ${all.length} training · ${number(steps)} steps · ${number(samples)} samples (${rate}/s)` +
    ` · ${number(rejected)} rejected · loss ${loss}`
  );
}
