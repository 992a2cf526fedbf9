import { displacementFromNow } from '../core/correct.ts';
import { asp } from '../core/gate.ts';
import { each } from '../core/gather.ts';
import { defineMethod } from '../core/method.ts';
import { elasticCentre, elasticityOf } from '../core/outer/local.ts';
import { finite } from '../core/screen.ts';
import { currentParams } from '../core/view.ts';
import { INNER, localSteps } from '../core/work.ts';

/**
 * Elastic averaging: each worker keeps parameters of its own, tied by a spring to a centre that they pull along. θ is
 * the centre.
 */
export default defineMethod({
  name: 'easgd',
  title: 'Elastic Averaging SGD',
  summary: 'Workers explore on their own, tied elastically to a common centre. No waiting, little traffic.',
  paper: {
    authors: 'Zhang, Choromanska and LeCun',
    year: 2015,
    title: 'Deep learning with Elastic Averaging SGD',
    url: 'https://arxiv.org/abs/1412.6651',
    where: 'Algorithm 1, asynchronous; a worker is drawn to the centre as it is after its own push',
  },
  hyperparameters: {
    elasticity: {
      kind: 'number',
      symbol: 'α',
      description:
        'Part of the way that worker and centre move towards each other; 0 for 0.9 divided by the workers that there are.',
      default: 0,
      min: 0,
      max: 1,
    },
    ...INNER,
    localSteps: { ...INNER.localSteps, symbol: 'τ', default: 16 },
  },
  axes: (h) => {
    const work = localSteps(h, () => h.localSteps);
    return {
      work: {
        ...work,
        inner: { ...work.inner, elastic: { rate: h.elasticity } },
        elasticity: (workers) => elasticityOf(h.elasticity, workers),
      },
      gate: asp(),
      view: currentParams(),
      screen: [finite()],
      correct: displacementFromNow({ staleness: 'constant', exponent: 0, slope: 0, threshold: 0 }),
      gather: each(),
      outer: elasticCentre(h),
    };
  },
  example: {
    config: { learningRate: 0.1, elasticity: 0.5 },
    params: [1],
    steps: [
      { event: { type: 'pull', worker: 'a' }, params: [1], because: 'θ' },
      { event: { type: 'pull', worker: 'b' }, params: [1], because: 'θ' },
      {
        event: { type: 'push', worker: 'a', vector: [1] },
        params: [0.5],
        because: 'xᵃ = 1 − 1 = 0: θ = 1 + 0.5·(0 − 1)',
      },
      {
        event: { type: 'push', worker: 'b', vector: [1] },
        params: [0.25],
        because: 'xᵇ = 1 − 1 = 0: θ = 0.5 + 0.5·(0 − 0.5)',
      },
    ],
  },
});
