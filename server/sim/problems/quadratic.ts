// ½ Σ h·(θ − c)², one curvature h a coordinate; every sample has a centre c of its own, normal around 0. Coordinates do
// not touch each other, so a method that treats them alike is tried at all curvatures in one run.

import { rng } from '../../../shared/rng.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { ProblemSpec } from '../scenario.ts';
import { plainData, plainLayout, type Figures, type Problem } from './problem.ts';

type Spec = Extract<ProblemSpec, { kind: 'quadratic' }>;

export function quadratic({ curvatures, noise, samples }: Spec): Problem {
  const dim = curvatures.length;
  const h = Float64Array.from(curvatures);
  const random = rng('quadratic');
  const centres = noise === 0 ? null : Float32Array.from({ length: samples * dim }, () => noise * random.normal());
  const lossAt = (theta: Vec): number => theta.reduce((sum, x, i) => sum + 0.5 * h[i]! * x * x, 0);
  const measure = (theta: Vec): Figures => ({ loss: lossAt(theta), accuracy: null });
  return {
    ...plainData('quadratic', samples),
    layout: plainLayout(dim, 1),
    gradient: (theta, batch, out, flipped) => {
      const loss = lossAt(theta);
      const sign = flipped ? -1 : 1;
      for (let i = 0; i < dim; i++) {
        let centre = 0;
        if (centres) for (const sample of batch) centre += centres[sample * dim + i]!;
        out[i] = h[i]! * (theta[i]! - (sign * centre) / batch.length);
      }
      return loss;
    },
    heldOutGradient: (theta) => theta.map((x, i) => h[i]! * x),
    evaluate: measure,
  };
}
