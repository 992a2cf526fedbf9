// The methods of one gradient a lease against their equations in doubles, on long random traces.

import { beforeAll, describe, expect, it } from 'vitest';
import { loadMethods, methodNamed, type Registry } from '../../server/registry.ts';
import { compare, configOf, DIM, PRECISIONS, randomTrace, WITHIN, type Oracle, type OraclePush } from './oracle.ts';

let methods: Registry;
beforeAll(async () => {
  methods = await loadMethods();
});

const ETA = 0.03;
const GAMMA = 0.9;
const DECAY = 0.01;
const zeros = (): number[] => new Array<number>(DIM).fill(0);
const each = (n: (i: number) => number): number[] => Array.from({ length: DIM }, (_, i) => n(i));

type Correction = (g: number[], push: OraclePush, theta: readonly number[]) => number[];
const none: Correction = (g) => g;
const byLag: Correction = (g, { lag }) => g.map((x) => x / Math.max(1, lag));
const taylor =
  (lambda: number): Correction =>
  (g, { s }, theta) =>
    g.map((x, i) => x + lambda * x * x * (theta[i]! - s[i]!));

function adaptiveTaylor(lambda: number, m: number): Correction {
  const squares = new Map<string, number[]>();
  return (g, { worker, s }, theta) => {
    const before = squares.get(worker) ?? zeros();
    const now = before.map((x, i) => m * x + (1 - m) * g[i]! * g[i]!);
    squares.set(worker, now);
    return g.map((x, i) => x + (lambda / Math.sqrt(now[i]! + 1e-7)) * x * x * (theta[i]! - s[i]!));
  };
}

/** Gap-Aware; `stepped` must be told the buffer after every update. */
function byGap(decay: number): { correct: Correction; stepped: (v: readonly number[]) => void } {
  let n = 0;
  let e = zeros();
  return {
    correct: (g, { s }, theta) => {
      if (n === 0) return g;
      const c = e.map((x) => ETA * (Math.sqrt(x / (1 - decay ** n)) + 1e-8));
      return g.map((x, i) => x / (1 + Math.abs(theta[i]! - s[i]!) / c[i]!));
    },
    stepped: (v) => {
      n += 1;
      e = e.map((x, i) => decay * x + (1 - decay) * v[i]! * v[i]!);
    },
  };
}

interface Momenta {
  readonly gamma: number;
  /** One for all, or one a worker. */
  readonly shared: boolean;
  /** By how many steps, along what, a pull looks ahead. */
  readonly look: 'none' | 'own' | 'sum' | 'lag';
  readonly correction: Correction;
  readonly stepped?: (v: readonly number[]) => void;
}

/** v ← γv + ĝ, θ ← θ − ηv, in every arrangement that the methods use. */
function momenta({ gamma, shared, look, correction, stepped }: Momenta): (theta: number[]) => Oracle {
  return (start) => {
    const v = new Map<string, number[]>();
    const here = new Set<string>();
    const own = (worker: string): number[] => v.get(shared ? '' : worker) ?? zeros();
    const along = (worker: string): number[] => {
      if (look === 'none') return zeros();
      if (look === 'own') return own(worker).map((x) => gamma * x);
      if (look === 'lag') return own(worker).map((x) => (here.size - 1) * x);
      return each((i) => gamma * [...v.values()].reduce((sum, one) => sum + one[i]!, 0));
    };
    const oracle: Oracle = {
      theta: start,
      sent: (worker) => {
        here.add(worker);
        const ahead = along(worker);
        return oracle.theta.map((x, i) => x - ETA * ahead[i]!);
      },
      push: (push) => {
        const decayed = push.g.map((x, i) => x + DECAY * oracle.theta[i]!);
        const g = correction(decayed, push, oracle.theta);
        const now = own(push.worker).map((x, i) => gamma * x + g[i]!);
        v.set(shared ? '' : push.worker, now);
        oracle.theta = oracle.theta.map((x, i) => x - ETA * now[i]!);
        stepped?.(now);
      },
      leave: (worker) => {
        if (!shared) v.delete(worker);
        here.delete(worker);
      },
    };
    return oracle;
  };
}

/** Θ ← Θ − η(γv + g) with v of the worker. */
function slim(start: number[]): Oracle {
  const v = new Map<string, number[]>();
  const oracle: Oracle = {
    theta: start,
    sent: () => oracle.theta,
    push: ({ worker, g }) => {
      const decayed = g.map((x, i) => x + DECAY * oracle.theta[i]!);
      const now = (v.get(worker) ?? zeros()).map((x, i) => GAMMA * x + decayed[i]!);
      v.set(worker, now);
      oracle.theta = oracle.theta.map((x, i) => x - ETA * (GAMMA * now[i]! + decayed[i]!));
    },
    leave: (worker) => void v.delete(worker),
  };
  return oracle;
}

/** torch.optim.NAdam with decoupled weight decay. */
function nadam(start: number[]): Oracle {
  const [b1, b2, psi, eps] = [0.99, 0.999, 0.004, 1e-8];
  let [t, m, v] = [0, zeros(), zeros()];
  const mus: number[] = [];
  const mu = (k: number): number => b1 * (1 - 0.5 * Math.pow(0.96, k * psi));
  const oracle: Oracle = {
    theta: start,
    sent: () => oracle.theta,
    push: ({ g }) => {
      t += 1;
      mus.push(mu(t));
      m = m.map((x, i) => b1 * x + (1 - b1) * g[i]!);
      v = v.map((x, i) => b2 * x + (1 - b2) * g[i]! ** 2);
      const product = mus.reduce((a, b) => a * b, 1);
      const upTo = product * mu(t + 1);
      const u = each((i) => {
        const numerator = (mu(t + 1) * m[i]!) / (1 - upTo) + ((1 - mu(t)) * g[i]!) / (1 - product);
        return numerator / (Math.sqrt(v[i]! / (1 - b2 ** t)) + eps);
      });
      oracle.theta = oracle.theta.map((x, i) => x * (1 - ETA * DECAY) - ETA * u[i]!);
    },
  };
  return oracle;
}

const gap = (gamma: number, look: Momenta['look'], shared: boolean) => (): ((theta: number[]) => Oracle) => {
  const { correct, stepped } = byGap(0.999);
  return momenta({ gamma, shared, look, correction: correct, stepped });
};
const plain = (options: Omit<Momenta, 'gamma'> & { gamma?: number }) => () => momenta({ gamma: GAMMA, ...options });

/** Each makes a fresh oracle: the corrections remember. */
const ORACLES: Record<string, () => (theta: number[]) => Oracle> = {
  asgd: plain({ gamma: 0, shared: true, look: 'none', correction: none }),
  'nag-asgd': plain({ shared: true, look: 'own', correction: none }),
  'staleness-aware': plain({ shared: true, look: 'own', correction: byLag }),
  'gap-aware': gap(GAMMA, 'own', true),
  'asgd-ga': gap(0, 'none', true),
  'multi-asgd': plain({ shared: false, look: 'own', correction: none }),
  lwp: plain({ shared: true, look: 'lag', correction: none }),
  'dc-asgd': plain({ shared: true, look: 'own', correction: taylor(2) }),
  'dc-asgd-a': () => momenta({ gamma: GAMMA, shared: true, look: 'own', correction: adaptiveTaylor(2, 0.95) }),
  'dana-zero': plain({ shared: false, look: 'sum', correction: none }),
  'dana-dc': plain({ shared: false, look: 'sum', correction: taylor(2) }),
  'dana-sa': plain({ shared: false, look: 'sum', correction: byLag }),
  'dana-ga': gap(GAMMA, 'sum', false),
  'dana-slim': () => slim,
  'nadam-async': () => nadam,
};

const TIMES = PRECISIONS.flatMap((precision) => [1, 2, 3].map((seed) => [precision, seed] as const));

describe.each(Object.keys(ORACLES))('%s', (name) => {
  it.each(TIMES)(
    '[A11] follows its equations in %s for 400 events of five workers that come and go, seed %i',
    (precision, seed) => {
      const method = methodNamed(methods, name);
      const config = configOf(name, { learningRate: ETA, weightDecay: DECAY });
      // A worker that left is a new one to the adaptive form: its oracle has no leaves, so its traces have none.
      const events = randomTrace(seed, { events: 400, leaves: name !== 'dc-asgd-a' });
      expect(compare({ method, config, events, oracle: ORACLES[name]!(), precision })).toBeLessThan(WITHIN[precision]);
    },
  );
});

describe('nadam-async with a clipNorm', () => {
  it.each(PRECISIONS)('[A11] is the same on gradients that were scaled down to it, in %s', (precision) => {
    const limit = 2;
    const clipped = (start: number[]): Oracle => {
      const oracle = nadam(start);
      const push = oracle.push.bind(oracle);
      oracle.push = (about) => {
        const norm = Math.hypot(...about.g);
        push({ ...about, g: about.g.map((x) => x * Math.min(1, limit / norm)) });
      };
      return oracle;
    };
    const events = randomTrace(2, { events: 400 });
    const norms = events.flatMap((event) => (event.type === 'push' ? Math.hypot(...event.vector) : []));
    expect(Math.min(...norms)).toBeLessThan(limit);
    expect(Math.max(...norms)).toBeGreaterThan(limit);
    const method = methodNamed(methods, 'nadam-async');
    const config = configOf('nadam-async', { learningRate: ETA, weightDecay: DECAY, clipNorm: limit });
    expect(compare({ method, config, events, oracle: clipped, precision })).toBeLessThan(WITHIN[precision]);
  });
});

describe('a long trace in doubles', () => {
  it.each(['gap-aware', 'asgd-ga', 'dana-ga', 'dana-zero', 'nadam-async'])('[A11] of 3,000 events: %s', (name) => {
    const config = configOf(name, { learningRate: ETA, weightDecay: DECAY });
    const events = randomTrace(4, { events: 3000 });
    const method = methodNamed(methods, name);
    expect(compare({ method, config, events, oracle: ORACLES[name]!(), precision: 'float64' })).toBeLessThan(WITHIN.float64); // prettier-ignore
  });
});
