// The control that holds the lengths of what lies below a LayerNorm.

import { expect, it } from 'vitest';
import { HeldNorms } from '../../server/sim/norms.ts';
import { initialParams } from '../../shared/model/init.ts';
import { layoutOf } from '../../shared/model/layout.ts';
import { modelSpec } from '../../shared/model/spec.ts';
import { rng } from '../../shared/rng.ts';

const model = modelSpec('ln-mlp', [4, 4, 1], 3, [5, 4]);
const layout = layoutOf(model);

it('puts each hidden layer back to its first length, kernel and bias together, and leaves the last layer alone', () => {
  const theta = initialParams(layout, rng(1));
  const lastFrom = layout.entries.findLast(({ role }) => role === 'kernel')!.offset;
  const norms = new HeldNorms(model, layout);
  norms.hold(theta);
  const first = theta.slice();
  theta.forEach((value, i) => (theta[i] = 3 * value)); // as what a LayerNorm follows, it is the same layer
  norms.hold(theta);
  theta.forEach((value, i) => expect(value).toBeCloseTo((i < lastFrom ? 1 : 3) * first[i]!, 5));
});

it('is refused where no LayerNorm is', () => {
  const plain = modelSpec('mlp', [4, 4, 1], 3, [5]);
  expect(() => new HeldNorms(plain, layoutOf(plain))).toThrow('no layer below a LayerNorm');
});
