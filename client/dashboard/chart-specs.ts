// The four charts: which measures, how they are named, drawn and written. Data only.

import { compact, count, loss, percent, rate, significant } from '../page/format.ts';
import type { Measure } from '../page/history.ts';

export interface SeriesSpec {
  readonly measure: Measure;
  readonly label: string;
  readonly format: (value: number | null) => string;
  /** On the axis. */
  readonly tick: (value: number) => string;
  readonly colour: '--chart-1' | '--chart-2';
  /** Measured now and then: joined from one measurement to the next, each marked by a dot. */
  readonly sparse?: boolean;
  /** On its own axis, at the right. */
  readonly right?: boolean;
}

export interface ChartSpec {
  readonly title: string;
  /** One sentence for a screen reader, before the latest values. */
  readonly description: string;
  readonly series: readonly SeriesSpec[];
  /** The axes begin at 0. */
  readonly fromZero: boolean;
  /** May be drawn on a logarithmic axis: all values are positive. */
  readonly logarithmic?: boolean;
  /** Shows where the run was rolled back. */
  readonly marksRollbacks?: boolean;
}

export const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Loss',
    description: 'Line chart of the training and the validation loss.',
    fromZero: false,
    logarithmic: true,
    marksRollbacks: true,
    series: [
      { measure: 'trainLoss', label: 'Training', format: loss, tick: compact, colour: '--chart-1' },
      {
        measure: 'validationLoss',
        label: 'Validation',
        format: loss,
        tick: compact,
        colour: '--chart-2',
        sparse: true,
      },
    ],
  },
  {
    title: 'Validation accuracy',
    description: 'Line chart of the accuracy on the validation split.',
    fromZero: false,
    series: [
      {
        measure: 'accuracy',
        label: 'Accuracy',
        format: percentOf,
        tick: percentTick,
        colour: '--chart-1',
        sparse: true,
      },
    ],
  },
  {
    title: 'Throughput',
    description: 'Line chart of updates and samples a second.',
    fromZero: true,
    series: [
      { measure: 'updatesPerSecond', label: 'Updates/s', format: rate, tick: compact, colour: '--chart-1' },
      {
        measure: 'samplesPerSecond',
        label: 'Samples/s',
        format: count,
        tick: compact,
        colour: '--chart-2',
        right: true,
      },
    ],
  },
  {
    title: 'Staleness',
    description: 'Line chart of the mean lag and the mean gap of accepted pushes.',
    fromZero: true,
    series: [
      { measure: 'lagMean', label: 'Mean lag', format: rate, tick: compact, colour: '--chart-1' },
      {
        measure: 'gapMean',
        label: 'Mean gap',
        format: significant,
        tick: significant,
        colour: '--chart-2',
        right: true,
      },
    ],
  },
];

function percentTick(value: number): string {
  return `${Number((value * 100).toFixed(1))}%`;
}

function percentOf(value: number | null): string {
  return percent(value, 1);
}
