// Combining: how the pushes that a gather has collected become one. Their mean, or something that a few liars among them
// cannot move far. What keeps whole vectors keeps them in its state, so that a checkpoint has them.

import { trimmedMean } from '../../shared/robust.ts';
import { zeros } from '../../shared/precision.ts';
import { axpy, copy, rmsDistance, scale, sumSquares, zero, type Vec } from '../../shared/vec.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import { byWorker, type State } from './state.ts';

/** Of every method that gathers several pushes for an update. */
export const ROBUST = {
  robust: {
    kind: 'choice',
    description:
      'How the pushes of an update become one: their mean, or by coordinate a trimmed mean or the median (Yin et al. 2018), or the one nearest to its neighbours (Blanchard et al. 2017), or clipped around the last (Karimireddy et al. 2021). All but the mean count pushes, not samples.',
    default: 'mean',
    choices: ['mean', 'trimmed-mean', 'median', 'krum', 'centered-clipping'],
  },
  byzantine: {
    kind: 'number',
    symbol: 'f, β',
    description: 'Of trimmed-mean and krum: liars among the pushes of an update, at most.',
    default: 1,
    min: 0,
    max: 5000,
    integer: true,
  },
  clipRadius: {
    kind: 'number',
    symbol: 'τ',
    description: 'Of centered-clipping: how far from the last aggregate a push counts; depends on the scale of pushes.',
    default: 10,
    min: 1e-12,
  },
} as const satisfies Hyperparameters;

export interface RobustValues {
  readonly robust: 'mean' | 'trimmed-mean' | 'median' | 'krum' | 'centered-clipping';
  readonly byzantine: number;
  readonly clipRadius: number;
}

export interface Combine {
  readonly state: State;
  /** See `Gather`. */
  readonly compares: boolean;
  /** Takes a push in; the vector is the caller's again afterwards. `weight` is for a mean, `trust` for what compares. */
  add(g: Vec, weight: number, trust: number): void;
  /** A push that counts for nothing, and counts: a mean is that much smaller. */
  addNothing(): void;
  /** out ← what they come to; forgets them. */
  take(out: Vec): void;
}

/** Elements of all the vectors that are kept: 1 GiB. Beyond, the newest take the places of the oldest. */
const ELEMENTS_MAX = 2 ** 28;
const VECTORS_MIN = 8;

/**
 * The mean for a method that has none of `ROBUST`. `pushes`: of an update, where that is known; throws one sentence when
 * they are too few for what is asked.
 */
export function combine(dim: number, by: Partial<RobustValues>, pushes?: number): Combine {
  const { robust = 'mean', byzantine = ROBUST.byzantine.default, clipRadius = ROBUST.clipRadius.default } = by;
  switch (robust) {
    case 'mean':
      return mean(dim);
    case 'median':
      return collected(dim, (out, vectors, trusts) => {
        trimmedMean(out, vectors, (vectors.length - 1) >> 1);
        return meanOf(trusts);
      });
    case 'trimmed-mean':
      expectEnough(byzantine, pushes, { least: 2 * byzantine + 1, what: 'a trimmed mean needs 2·byzantine + 1' });
      return collected(dim, (out, vectors, trusts) => {
        trimmedMean(out, vectors, Math.min(byzantine, (vectors.length - 1) >> 1));
        return meanOf(trusts);
      });
    case 'krum':
      expectEnough(byzantine, pushes, { least: 2 * byzantine + 3, what: 'Krum needs 2·byzantine + 3' });
      return collected(dim, (out, vectors, trusts) => {
        const chosen = krum(vectors, byzantine);
        copy(out, vectors[chosen]!);
        return trusts[chosen]!;
      });
    case 'centered-clipping':
      return centeredClipping(dim, clipRadius);
    default:
      return robust satisfies never;
  }
}

function expectEnough(
  byzantine: number,
  pushes: number | undefined,
  { least, what }: { least: number; what: string },
): void {
  if (pushes !== undefined && pushes < least)
    throw new Error(`byzantine is ${byzantine}, expected less: of ${pushes} pushes an update, ${what} = ${least}`);
}

const meanOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** Σ w·g / Σ w */
function mean(dim: number): Combine {
  const state = { weight: 0, sum: zeros(dim) };
  return {
    state,
    compares: false,
    add: (g, weight) => {
      state.weight += weight;
      axpy(state.sum, weight, g);
    },
    addNothing: () => void (state.weight += 1),
    take: (out) => {
      copy(out, state.sum);
      scale(out, 1 / state.weight);
      zero(state.sum);
      state.weight = 0;
    },
  };
}

/** out ← what the vectors come to, of which there is at least one. Returns what that counts for. */
type Into = (out: Vec, vectors: readonly Vec[], trusts: readonly number[]) => number;

/** Whatever needs all vectors at once. When all counted for nothing, it comes to nothing. */
function collected(dim: number, into: Into): Combine {
  const state = { count: 0, vectors: byWorker<Vec>(), trusts: byWorker<number>() };
  const limit = Math.max(VECTORS_MIN, Math.floor(ELEMENTS_MAX / dim));
  /** Memory to be used again. */
  let spares: Vec[] = [];
  return {
    state,
    compares: true,
    add: (g, _weight, trust) => {
      if (trust === 0) return;
      const place = String(state.count % limit);
      const vector = (state.vectors[place] ??= spares.pop() ?? zeros(dim));
      copy(vector, g);
      state.trusts[place] = trust;
      state.count += 1;
    },
    addNothing: () => undefined,
    take: (out) => {
      const vectors = Object.values(state.vectors);
      const trust = vectors.length === 0 ? 0 : into(out, vectors, Object.values(state.trusts));
      if (trust === 0) zero(out);
      else if (trust !== 1) scale(out, trust);
      for (const place of Object.keys(state.vectors)) {
        delete state.vectors[place];
        delete state.trusts[place];
      }
      state.count = 0;
      spares = vectors;
    },
  };
}

/**
 * Which vector has the least sum of squared distances to its n − f − 2 nearest others. Blanchard et al. (2017), Krum. With
 * fewer than 2f + 3 vectors f is as many as they allow; of one or two, the first.
 */
export function krum(vectors: readonly Vec[], byzantine: number): number {
  const n = vectors.length;
  const f = Math.min(byzantine, Math.max(0, Math.floor((n - 3) / 2)));
  const squares = vectors.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) squares[i]![j] = squares[j]![i] = rmsDistance(vectors[i]!, vectors[j]!) ** 2;
  }
  const scores = squares.map((row, i) => {
    const others = row.filter((_, j) => j !== i).sort();
    return others.slice(0, Math.max(1, n - f - 2)).reduce((sum, square) => sum + square, 0);
  });
  return scores.indexOf(Math.min(...scores));
}

/**
 * v ← v + (1/n)·Σ (g − v)·min(1, τ/‖g − v‖), with v the last aggregate, 0 at first. Karimireddy, He and Jaggi (2021),
 * equation 3: each push moves v by τ/n at most, and by as much less as it is trusted less.
 */
function centeredClipping(dim: number, radius: number): Combine {
  const state = { count: 0, centre: zeros(dim), sum: zeros(dim) };
  const difference = zeros(dim);
  return {
    state,
    compares: true,
    add: (g, _weight, trust) => {
      if (trust === 0) return;
      copy(difference, g);
      axpy(difference, -1, state.centre);
      const norm = Math.sqrt(sumSquares(difference));
      axpy(state.sum, trust * Math.min(1, radius / norm), difference);
      state.count += 1;
    },
    addNothing: () => undefined,
    take: (out) => {
      if (state.count > 0) axpy(state.centre, 1 / state.count, state.sum);
      copy(out, state.centre);
      zero(state.sum);
      state.count = 0;
    },
  };
}
