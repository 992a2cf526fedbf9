import { ROBUST } from '../core/combine.ts';
import { uncorrected } from '../core/correct.ts';
import { bsp } from '../core/gate.ts';
import { round } from '../core/gather.ts';
import { defineMethod } from '../core/method.ts';
import { momentum } from '../core/outer.ts';
import { currentRound, finite } from '../core/screen.ts';
import { lookAhead } from '../core/view.ts';

/** Synchronous SGD in rounds, with backup workers: whoever is later than the quorum and the deadline is left behind. */
export default defineMethod({
  name: 'ssgd',
  title: 'Synchronous SGD',
  summary: 'Waits for everyone at every update, up to a deadline. No staleness, and the slowest worker sets the pace.',
  paper: {
    authors: 'Chen, Pan, Monga, Bengio and Jozefowicz',
    year: 2016,
    title: 'Revisiting Distributed Synchronous SGD',
    url: 'https://arxiv.org/abs/1604.00981',
    where: 'Algorithms 3 and 4, with a deadline in place of a fixed number of backup workers',
  },
  hyperparameters: {
    momentum: {
      kind: 'number',
      symbol: 'γ',
      description: 'Nesterov momentum; 0 turns it off.',
      default: 0,
      min: 0,
      below: 1,
    },
    quorum: {
      kind: 'number',
      symbol: 'N/(N+b)',
      description: 'Part of a round that must have pushed when its deadline passes.',
      default: 0.5,
      min: 0,
      max: 1,
    },
    deadlineMs: {
      kind: 'number',
      symbol: '',
      description: 'How long a round waits for the rest after its first push, in milliseconds.',
      default: 10_000,
      min: 0,
    },
    ...ROBUST,
  },
  axes: (h, dim) => ({
    work: { kind: 'gradient' },
    gate: bsp(),
    view: lookAhead(h.momentum),
    screen: [currentRound(), finite()],
    correct: uncorrected(),
    gather: round(dim, h),
    outer: momentum(dim, h),
  }),
  example: {
    config: { learningRate: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1], samples: 1 },
        params: [1],
        because: 'b is outstanding: the round waits',
      },
      {
        event: { type: 'push', worker: 'b', vector: [3], samples: 3 },
        params: [-0.25],
        because: '1 − 0.5·(1·1 + 3·3)/4',
      },
    ],
  },
});
