// What the workers of a simulation compute: a loss over samples that are known by number. The simulator knows nothing
// else of it, so an exact problem of microseconds and a network on real images run alike.

import type { DatasetSpec } from '../../../shared/data/spec.ts';
import type { Layout } from '../../../shared/model/layout.ts';
import type { ModelSpec } from '../../../shared/model/spec.ts';
import type { Vec } from '../../../shared/vec.ts';

export interface Figures {
  readonly loss: number;
  /** Null where nothing is classified. */
  readonly accuracy: number | null;
}

export interface Problem {
  readonly model: ModelSpec;
  readonly layout: Layout;
  readonly dataset: DatasetSpec;
  /** Training samples, numbered from 0. */
  readonly samples: number;
  /**
   * out ← the gradient at θ of the mean loss over these samples (out may be θ itself); gives that mean loss.
   * `flipped`: with every label exchanged for another, as a Byzantine worker may have it.
   */
  gradient(theta: Vec, samples: Uint32Array, out: Vec, flipped: boolean): number | Promise<number>;
  /** The gradient at θ of the mean loss over held-out samples: the trusted one. Its own memory is the caller's. */
  heldOutGradient(theta: Vec): Vec | Promise<Vec>;
  evaluate(theta: Vec, split: 'validation' | 'test'): Figures | Promise<Figures>;
}

/** The layout of a problem whose θ is one plain vector: its first value is drawn from N(0, 1/fanIn). */
export function plainLayout(dim: number, fanIn: number): Layout {
  const entry = { name: '0.kernel', layer: 0, role: 'kernel', shape: [dim], offset: 0, size: dim, fanIn } as const;
  return { entries: [entry], dim, hash: dim };
}

/** What a problem without images says of its data, where a run has to say something. */
export function plainData(name: string, samples: number): Pick<Problem, 'model' | 'dataset' | 'samples'> {
  const shape = [1, 1, 1] as const;
  return {
    samples,
    model: { name, input: shape, classes: 2, layers: [] },
    dataset: {
      name,
      title: name,
      sampleShape: shape,
      classNames: ['0', '1'],
      mean: 0,
      deviation: 1,
      trainCount: samples,
      validationCount: 0,
      testCount: 0,
    },
  };
}
