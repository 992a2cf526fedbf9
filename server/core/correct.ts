// Corrections: what does staleness cost a gradient?

import { zeros } from '../../shared/precision.ts';
import {
  axpy,
  compensate,
  compensateAdaptively,
  decaySquare,
  penalizeByGap,
  scale,
  sumSquares,
  type Vec,
} from '../../shared/vec.ts';
import type { Correct } from './method.ts';
import { byWorker } from './state.ts';
import { workerVectors } from './workervectors.ts';

/** Nothing. */
export function uncorrected(): Correct {
  return { state: {}, apply: () => undefined };
}

/** g·min(1, limit/‖g‖) */
export function clipNorm(limit: number): Correct {
  return {
    state: {},
    apply: (g) => {
      const norm = Math.sqrt(sumSquares(g));
      if (norm > limit) scale(g, limit / norm);
    },
  };
}

/** g / max(1, τ). Zhang, Gupta, Lian and Liu (2016), equation 6: the learning rate divided by the lag. */
export function divideByLag(): Correct {
  return { state: {}, apply: (g, { lag }) => scale(g, 1 / Math.max(1, lag)) };
}

/**
 * g / (1 + |θ − s| / C), per parameter, with C = η_max·(√(E/(1−Γⁿ)) + ε) and E the running mean of the squared step.
 * Barkai, Hakimi and Schuster (2020), the parameter-wise Gap-Aware. Before the first update there is no C, and no penalty.
 */
export function divideByGap(dim: number, by: { decay: number; epsilon: number }): Correct {
  const state = { updates: 0, meanSquare: zeros(dim) };
  return {
    state,
    apply: (g, { theta, sent, lag, gap, learningRatePeak }) => {
      if (state.updates === 0 || (lag === 0 && gap === 0)) return; // without a gap the penalty is exactly 1
      penalizeByGap(
        g,
        { theta, sent, meanSquare: state.meanSquare },
        { learningRate: learningRatePeak, correction: 1 / (1 - by.decay ** state.updates), epsilon: by.epsilon },
      );
    },
    observe: (step) => {
      state.updates += 1;
      decaySquare(state.meanSquare, by.decay, step);
    },
  };
}

/** g + λ·g⊙g⊙(θ − s). Zheng et al. (2017), Algorithm 2 with a constant λ; g holds the weight decay already. */
export function compensateDelay(by: { lambda: number }): Correct {
  return { state: {}, squares: true, apply: (g, { theta, sent }) => compensate(g, by.lambda, theta, sent) };
}

/**
 * g + λ₀/√(m + 1e-7)·g⊙g⊙(θ − s), with m ← β·m + (1−β)·g⊙g first. Zheng et al. (2017), the adaptive λ; one m a worker,
 * as in the authors' own parameter server, so that a fast worker's gradients do not set a slow one's scale.
 */
export function compensateDelayAdaptively(dim: number, by: { lambda: number; meanSquareDecay: number }): Correct {
  const state = { workers: byWorker<Vec>() };
  const meanSquares = workerVectors(state.workers, dim);
  return {
    state,
    squares: true,
    apply: (g, { worker, theta, sent }) => {
      const meanSquare = meanSquares.of(worker);
      decaySquare(meanSquare, by.meanSquareDecay, g);
      compensateAdaptively(g, { theta, sent, meanSquare }, { lambda: by.lambda, epsilon: 1e-7 });
    },
    forget: (worker) => void meanSquares.drop(worker),
  };
}

export interface LagDecay {
  readonly staleness: 'constant' | 'polynomial' | 'hinge';
  /** a of the polynomial (1 + τ)^−a */
  readonly exponent: number;
  /** a and b of the hinge 1/(a(τ − b) + 1) for τ > b, and 1 before */
  readonly slope: number;
  readonly threshold: number;
}

/** s(τ): what a push of lag τ counts for. Xie, Koyejo and Gupta (2019), the staleness functions. */
export function weightOfLag(lag: number, { staleness, exponent, slope, threshold }: LagDecay): number {
  switch (staleness) {
    case 'constant':
      return 1;
    case 'polynomial':
      return (1 + lag) ** -exponent;
    case 'hinge':
      return lag <= threshold ? 1 : 1 / (slope * (lag - threshold) + 1);
    default:
      return staleness satisfies never;
  }
}

/** Δ·s(τ) */
export function decayByLag(by: LagDecay): Correct {
  return { state: {}, apply: (delta, { lag }) => scale(delta, weightOfLag(lag, by)) };
}

/** (θ − x)·s(τ), with x = s − Δ where the worker has come to: a displacement from θ now in place of one from s. */
export function displacementFromNow(by: LagDecay): Correct {
  return {
    state: {},
    apply: (delta, { theta, sent, lag }) => {
      axpy(delta, 1, theta);
      axpy(delta, -1, sent);
      scale(delta, weightOfLag(lag, by));
    },
  };
}
