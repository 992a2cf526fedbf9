// Where parameters lie, and what they are at first.

import { describe, expect, it } from 'vitest';
import { initialParams } from '../../shared/model/init.ts';
import { layoutOf, PARAMETERS_MAX } from '../../shared/model/layout.ts';
import { MODEL_NAMES, modelSpec, type Layer, type ModelSpec } from '../../shared/model/spec.ts';
import { rng } from '../../shared/rng.ts';

const custom = (input: ModelSpec['input'], layers: readonly Layer[]): ModelSpec => ({
  name: 'custom',
  input,
  classes: 10,
  layers,
});
const digits = [28, 28, 1] as const;

describe('a layout', () => {
  it('[T1] of ln-mlp 784-128-64-10 has 109,386 parameters, of softmax 7,850, of mlp 101,770', () => {
    expect(layoutOf(modelSpec('ln-mlp', digits, 10)).dim).toBe(109_386);
    expect(layoutOf(modelSpec('softmax', digits, 10)).dim).toBe(7_850);
    expect(layoutOf(modelSpec('mlp', digits, 10)).dim).toBe(101_770);
  });

  it('[T1] of the cnn: two 3×3 convolutions of 16 and 32 filters, 64 units', () => {
    const { entries, dim } = layoutOf(modelSpec('cnn', [32, 32, 3], 10));
    expect(entries.map(({ name, shape, fanIn }) => [name, shape.join('x'), fanIn])).toEqual([
      ['0.kernel', '3x3x3x16', 27],
      ['0.bias', '16', 27],
      ['3.kernel', '3x3x16x32', 144],
      ['3.bias', '32', 144],
      ['7.kernel', '2048x64', 2048],
      ['7.bias', '64', 2048],
      ['9.kernel', '64x10', 64],
      ['9.bias', '10', 64],
    ]);
    expect(dim).toBe(448 + 4640 + 131_136 + 650);
  });

  it.each(MODEL_NAMES)('[T1] of %s covers θ without a gap or an overlap', (name) => {
    const { entries, dim } = layoutOf(modelSpec(name, [28, 28, 1], 7));
    let offset = 0;
    for (const entry of entries) {
      expect(entry.offset).toBe(offset);
      expect(entry.size).toBe(entry.shape.reduce((a, b) => a * b, 1));
      offset += entry.size;
    }
    expect(offset).toBe(dim);
  });

  it('[W2] has another hash for other shapes, order or names, and the same for the same model', () => {
    const models = [
      modelSpec('mlp', digits, 10),
      modelSpec('mlp', digits, 10, [64]),
      modelSpec('mlp', digits, 10, [128, 64]),
      modelSpec('mlp', digits, 10, [64, 128]),
      modelSpec('mlp', [28, 28, 3], 10),
      modelSpec('ln-mlp', digits, 10),
      modelSpec('cnn', digits, 10),
    ];
    expect(new Set(models.map((model) => layoutOf(model).hash)).size).toBe(models.length);
    expect(layoutOf(modelSpec('mlp', digits, 10)).hash).toBe(layoutOf(models[0]!).hash);
  });

  it('slides a window as TensorFlow does, odd sizes and strides', () => {
    const conv = (size: number, kernel: number, stride: number, padding: 'same' | 'valid'): number => {
      const layers: Layer[] = [
        { kind: 'conv2d', filters: 1, kernel, stride, padding },
        { kind: 'flatten' },
        { kind: 'dense', units: 10 },
      ];
      return Math.sqrt(layoutOf(custom([size, size, 1], layers)).entries[2]!.shape[0]!);
    };
    expect([conv(7, 3, 2, 'same'), conv(7, 3, 2, 'valid'), conv(8, 3, 3, 'same'), conv(8, 3, 3, 'valid')]).toEqual([
      4, 3, 3, 2,
    ]);
    expect(conv(3, 3, 1, 'valid')).toBe(1);
  });
});

describe('an impossible model', () => {
  const dense: Layer = { kind: 'dense', units: 10 };
  const pool: Layer = { kind: 'max-pool', size: 2, stride: 2 };
  it.each<[string, ModelSpec, string]>([
    ['dense on an image', custom([4, 4, 1], [dense]), 'layer 0 (dense) needs rank 1, got [4, 4, 1]'],
    ['pooling what is flat', custom([4, 4, 1], [{ kind: 'flatten' }, pool]), 'layer 1 (max-pool) needs rank 3'],
    ['another number of classes', custom([1, 1, 1], [{ kind: 'flatten' }]), 'the last layer gives [1], expected [10]'],
    ['no layers', custom([1, 1, 1], []), 'the last layer gives [1, 1, 1]'],
    [
      'a pool larger than its input',
      custom([2, 2, 1], [pool, pool, { kind: 'flatten' }, dense]),
      'layer 1 (max-pool) has no output for an input of [1, 1, 1]',
    ],
    [
      'a window larger than its input in both directions, whose sizes would multiply to a plus',
      custom(
        [2, 2, 1],
        [{ kind: 'conv2d', filters: 3, kernel: 5, stride: 1, padding: 'valid' }, { kind: 'flatten' }, dense],
      ),
      'layer 0 (conv2d) has no output for an input of [2, 2, 1]',
    ],
    ['too many parameters', modelSpec('mlp', digits, 10, [65_536, 65_536]), `at most ${PARAMETERS_MAX}`],
  ])('%s: says where', (_what, model, message) => {
    expect(() => layoutOf(model)).toThrow(message);
  });

  it('softmax takes no hidden layers', () => {
    expect(() => modelSpec('softmax', digits, 10, [64])).toThrow('model "softmax" has no hidden layers');
  });
});

describe('the first parameters', () => {
  const layout = layoutOf(modelSpec('ln-mlp', digits, 10));

  it('[T1] are the same bits for the same seed, and others for another', () => {
    expect(initialParams(layout, rng(3))).toEqual(initialParams(layout, rng(3)));
    expect(initialParams(layout, rng(4))).not.toEqual(initialParams(layout, rng(3)));
  });

  it('[T1] have kernels of variance 2/fanIn, the last 1/fanIn, and biases of zero', () => {
    const theta = initialParams(layout, rng(1));
    for (const { role, layer, offset, size, fanIn } of layout.entries) {
      const part = theta.subarray(offset, offset + size);
      if (role === 'bias') {
        expect(part.every((value) => value === 0)).toBe(true);
        continue;
      }
      const variance = part.reduce((sum, value) => sum + value * value, 0) / size;
      const expected = (layer === 7 ? 1 : 2) / fanIn;
      expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(2 / size)); // five standard errors
    }
    expect(layout.entries.at(-1)!.layer).toBe(7);
  });

  it('[T1] of one layer do not move when a layer is added before or after it in the vector', () => {
    const wider = layoutOf(modelSpec('ln-mlp', digits, 12));
    const first = layout.entries[0]!;
    expect(initialParams(wider, rng(1)).subarray(0, first.size)).toEqual(
      initialParams(layout, rng(1)).subarray(0, first.size),
    );
  });
});
