// A model as data: the layers, in order, and the shape of one sample. No code, so it travels and is compared by value.
// What the layers compute is in shared/nn/model.ts; where their parameters lie is in layout.ts.

export type Layer =
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dense'; readonly units: number }
  /** (x − mean) / √(variance + 1e-5) over the features of one sample, without scale or shift: no parameters. */
  | { readonly kind: 'layer-norm' }
  | { readonly kind: 'relu' }
  | {
      readonly kind: 'conv2d';
      readonly filters: number;
      readonly kernel: number;
      readonly stride: number;
      readonly padding: 'same' | 'valid';
    }
  | { readonly kind: 'max-pool'; readonly size: number; readonly stride: number };

export interface ModelSpec {
  readonly name: string;
  /** Shape of one sample: [height, width, channels]. */
  readonly input: readonly [number, number, number];
  /** Units of the last layer; the loss is the mean softmax cross-entropy over them. */
  readonly classes: number;
  readonly layers: readonly Layer[];
}

/** The built-in models. `hidden` of the MLPs may be changed in a run's configuration. */
export const MODEL_NAMES = ['softmax', 'mlp', 'ln-mlp', 'cnn'] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

/** Default widths of the hidden layers. */
export const HIDDEN_UNITS: Record<ModelName, readonly number[]> = {
  softmax: [],
  mlp: [128],
  'ln-mlp': [128, 64],
  cnn: [64],
};

/** A built-in model for samples of this shape. Throws when it has no hidden layers and is given some. */
export function modelSpec(
  name: ModelName,
  input: readonly [number, number, number],
  classes: number,
  hidden: readonly number[] = HIDDEN_UNITS[name],
): ModelSpec {
  if (name === 'softmax' && hidden.length > 0) throw new Error('model "softmax" has no hidden layers');
  return { name, input, classes, layers: [...body(name, hidden), { kind: 'dense', units: classes }] };
}

function body(name: ModelName, hidden: readonly number[]): Layer[] {
  const flatten: Layer = { kind: 'flatten' };
  const relu: Layer = { kind: 'relu' };
  const dense = (units: number): Layer => ({ kind: 'dense', units });
  switch (name) {
    case 'softmax':
      return [flatten];
    case 'mlp':
      return [flatten, ...hidden.flatMap((units) => [dense(units), relu])];
    case 'ln-mlp':
      return [flatten, ...hidden.flatMap((units) => [dense(units), { kind: 'layer-norm' } as const, relu])];
    case 'cnn':
      return [
        { kind: 'conv2d', filters: 16, kernel: 3, stride: 1, padding: 'same' },
        relu,
        { kind: 'max-pool', size: 2, stride: 2 },
        { kind: 'conv2d', filters: 32, kernel: 3, stride: 1, padding: 'same' },
        relu,
        { kind: 'max-pool', size: 2, stride: 2 },
        flatten,
        ...hidden.flatMap((units) => [dense(units), relu]),
      ];
    default:
      return name satisfies never;
  }
}
