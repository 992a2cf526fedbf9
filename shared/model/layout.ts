// Where each layer's parameters lie in the one flat vector θ. The only other code that knows shapes builds the model.

import { hashText } from '../rng.ts';
import type { Layer, ModelSpec } from './spec.ts';

export interface LayoutEntry {
  /** `<layer index>.<kernel|bias>`, stable across machines. */
  readonly name: string;
  readonly layer: number;
  readonly role: 'kernel' | 'bias';
  readonly shape: readonly number[];
  /** First element in θ. */
  readonly offset: number;
  readonly size: number;
  /** Inputs that one output element sums over: the scale of its initial values. */
  readonly fanIn: number;
}

export interface Layout {
  readonly entries: readonly LayoutEntry[];
  /** Elements of θ. */
  readonly dim: number;
  /** Both ends of a frame must have the same: FNV-1a of names and shapes. */
  readonly hash: number;
}

/** Most parameters a run may have: 64 M floats, 256 MB a vector, of which a method keeps several. */
export const PARAMETERS_MAX = 64_000_000;

/** The layout of a model, and the shape that each layer passes on. Throws with the layer's index when a shape is impossible. */
export function layoutOf(model: ModelSpec): Layout {
  const entries: LayoutEntry[] = [];
  let offset = 0;
  let shape: readonly number[] = model.input;
  model.layers.forEach((layer, index) => {
    const weights = weightsOf(layer, shape);
    for (const { role, shape: weightShape, fanIn } of weights) {
      const size = weightShape.reduce((a, b) => a * b, 1);
      entries.push({ name: `${index}.${role}`, layer: index, role, shape: weightShape, offset, size, fanIn });
      offset += size;
    }
    const next = outputShape(layer, shape, index);
    if (next.some((size) => size < 1)) {
      throw new Error(`layer ${index} (${layer.kind}) has no output for an input of [${shape.join(', ')}]`);
    }
    shape = next;
  });
  if (shape.length !== 1 || shape[0] !== model.classes) {
    throw new Error(`model "${model.name}": the last layer gives [${shape.join(', ')}], expected [${model.classes}]`);
  }
  if (offset > PARAMETERS_MAX)
    throw new Error(`model "${model.name}": ${offset} parameters, at most ${PARAMETERS_MAX}`);
  const hash = hashText(entries.map((entry) => `${entry.name}:${entry.shape.join('x')}`).join(' '));
  return { entries, dim: offset, hash };
}

function weightsOf(
  layer: Layer,
  input: readonly number[],
): { role: 'kernel' | 'bias'; shape: number[]; fanIn: number }[] {
  const last = input.at(-1) ?? 0;
  switch (layer.kind) {
    case 'dense':
      return [
        { role: 'kernel', shape: [last, layer.units], fanIn: last },
        { role: 'bias', shape: [layer.units], fanIn: last },
      ];
    case 'conv2d': {
      const fanIn = layer.kernel * layer.kernel * last;
      return [
        { role: 'kernel', shape: [layer.kernel, layer.kernel, last, layer.filters], fanIn },
        { role: 'bias', shape: [layer.filters], fanIn },
      ];
    }
    case 'flatten':
    case 'layer-norm':
    case 'relu':
    case 'max-pool':
      return [];
    default:
      return layer satisfies never;
  }
}

function outputShape(layer: Layer, input: readonly number[], index: number): readonly number[] {
  const expect = (rank: number): void => {
    if (input.length !== rank)
      throw new Error(`layer ${index} (${layer.kind}) needs rank ${rank}, got [${input.join(', ')}]`);
  };
  switch (layer.kind) {
    case 'flatten':
      return [input.reduce((a, b) => a * b, 1)];
    case 'dense':
      expect(1);
      return [layer.units];
    case 'conv2d':
      expect(3);
      return [
        slide(input[0]!, layer.kernel, layer.stride, layer.padding),
        slide(input[1]!, layer.kernel, layer.stride, layer.padding),
        layer.filters,
      ];
    case 'max-pool':
      expect(3);
      return [
        slide(input[0]!, layer.size, layer.stride, 'valid'),
        slide(input[1]!, layer.size, layer.stride, 'valid'),
        input[2]!,
      ];
    case 'layer-norm':
    case 'relu':
      return input;
    default:
      return layer satisfies never;
  }
}

const slide = (size: number, window: number, stride: number, padding: 'same' | 'valid'): number =>
  padding === 'same' ? Math.ceil(size / stride) : Math.ceil((size - window + 1) / stride);
