// The WebAssembly kernels: built from their source, and equal to the bit to the loops in TypeScript, one by one and in
// one pass.

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { kernels } from '../../shared/kernels/code.ts';
import * as f16 from '../../shared/protocol/f16.ts';
import { rng } from '../../shared/rng.ts';
import * as vec from '../../shared/vec.ts';
import { ALL_KERNELS, compiled } from '../../tools/kernels.ts';
import { withoutWebAssembly } from './without-webassembly.ts';
import fc from '../property.ts';

type Loops = Omit<typeof vec, 'inOnePass'> & typeof f16;
type Vec = vec.Vec;
/** Acts on the vectors v, the halves h and a number; returns a number where the function does. */
type Act = (loops: Loops, v: readonly [Vec, Vec, Vec, Vec], h: Uint16Array, a: number) => number | void;

/** Every function over vectors that there is. */
const ACTS: Record<keyof Loops, Act> = {
  copy: (l, [y, x]) => l.copy(y, x),
  zero: (l, [y]) => l.zero(y),
  axpy: (l, [y, x], _h, a) => l.axpy(y, a, x),
  scale: (l, [y], _h, a) => l.scale(y, a),
  addScaled: (l, [y, x, z], _h, a) => l.addScaled(y, x, a, z),
  decayAdd: (l, [y, x], _h, a) => l.decayAdd(y, a, x),
  decayMean: (l, [y, x], _h, a) => l.decayMean(y, a, x),
  decaySquare: (l, [y, x], _h, a) => l.decaySquare(y, a, x),
  decayAddTracked: (l, [v, total, g], _h, a) => l.decayAddTracked(v, total, a, g),
  sumSquares: (l, [x]) => l.sumSquares(x),
  dot: (l, [x, y]) => l.dot(x, y),
  rmsDistance: (l, [x, y]) => l.rmsDistance(x, y),
  maxAbs: (l, [x]) => l.maxAbs(x),
  penalizeByGap: (l, [g, theta, sent, meanSquare], _h, a) =>
    l.penalizeByGap(g, { theta, sent, meanSquare }, { learningRate: a * a, correction: 1.25, epsilon: 1e-8 }),
  compensate: (l, [g, theta, sent], _h, a) => l.compensate(g, a, theta, sent),
  compensateAdaptively: (l, [g, theta, sent, meanSquare], _h, a) =>
    l.compensateAdaptively(g, { theta, sent, meanSquare }, { lambda: a, epsilon: 1e-7 }),
  adaptiveStep: (l, [g, mean, meanSquare], _h, a) =>
    l.adaptiveStep(g, { mean, meanSquare }, { ofMean: a, ofGradient: 1 - a, correction: 1.5, epsilon: 1e-8 }),
  f16Scale: (l, [x]) => l.f16Scale(x),
  encodeF16: (l, [x], h) => l.encodeF16(h, x, l.f16Scale(x)),
  decodeF16: (l, [x], h, a) => l.decodeF16(x, h, Math.fround(a * a) || 1),
};
const NAMES = Object.keys(ACTS) as (keyof typeof ACTS)[];

const fast: Loops & typeof vec = { ...vec, ...f16 };
const slow: Loops = await withoutWebAssembly(async () => ({
  ...(await import('../../shared/vec.ts')),
  ...(await import('../../shared/protocol/f16.ts')),
}));

/** Numbers of every size, some of them special. */
function vectorOf(length: number, seed: string): Vec {
  const random = rng(seed);
  const special = [0, -0, 1e-45, -1e-40, 6e-8, 1, -1, 65520, 3e38, -3e38, Infinity, -Infinity, NaN];
  const width = random.below(60);
  const oddity = random.below(2) * 0.01;
  return Float32Array.from({ length }, () =>
    random.next() < oddity ? special[random.below(special.length)]! : random.normal() * 2 ** random.below(1 + width),
  );
}

interface Arena {
  readonly vectors: readonly Vec[];
  readonly halves: readonly Uint16Array[];
}

function arenaOf(lengths: readonly number[], seed: string, count: number): Arena {
  return {
    vectors: lengths.flatMap((length, l) =>
      Array.from({ length: count }, (_, k) => vectorOf(length, `${seed}/${l}/${k}`)),
    ),
    halves: lengths.map((length, l) => {
      const random = rng(`${seed}/${l}/halves`);
      return Uint16Array.from({ length }, () => random.below(65536));
    }),
  };
}

const copyOf = ({ vectors, halves }: Arena): Arena => ({
  vectors: vectors.map((vector) => vector.slice()),
  halves: halves.map((half) => half.slice()),
});

const number = fc.double({ min: -4, max: 4, noNaN: true });
// around the length from which kernels are used, and around multiples of a chunk
const lengths = fc.oneof(
  fc.integer({ min: 500, max: 530 }),
  fc.integer({ min: 4090, max: 4105 }),
  fc.integer({ min: 8185, max: 12300 }),
);

describe('the kernels', () => {
  it.each(ALL_KERNELS)('are committed as $source compiles', async (kernels) => {
    expect(await readFile(kernels.target, 'utf8')).toBe(await compiled(kernels));
  });

  it('run on this host, and there is a case for every function over vectors', () => {
    expect(kernels()).not.toBeNull();
    const functions = Object.keys(fast).filter((name) => name !== 'inOnePass');
    expect(NAMES.toSorted()).toEqual(functions.toSorted());
  });

  it.each(NAMES)('%s gives the bits that its loop gives', (name) => {
    fc.assert(
      fc.property(lengths, fc.integer(), number, (length, seed, a) => {
        const [ours, theirs] = [arenaOf([length], `${seed}`, 4), arenaOf([length], `${seed}`, 4)];
        const [p, q] = [ours, theirs].map((arena, which) =>
          ACTS[name](which === 0 ? fast : slow, arena.vectors as [Vec, Vec, Vec, Vec], arena.halves[0]!, a),
        );
        expect(p).toBe(q);
        same(ours, theirs);
      }),
      { numRuns: 12 },
    );
  });

  it('encode and decode every scale there can be', () => {
    for (let exponent = -149; exponent <= 113; exponent++) {
      const x = vectorOf(600, `scale/${exponent}`);
      const [p, q] = [new Uint16Array(600), new Uint16Array(600)];
      fast.encodeF16(p, x, 2 ** exponent);
      slow.encodeF16(q, x, 2 ** exponent);
      expect(p).toEqual(q);
      const y = x.slice();
      fast.decodeF16(x, p, 2 ** exponent);
      slow.decodeF16(y, p, 2 ** exponent);
      expect(x).toEqual(y);
    }
  });
});

describe('one pass', () => {
  const VECTORS = 7;
  // two lengths in the kernels' range and one below it, more vectors than a pass has room for
  const LENGTHS = [700, 4099, 40];
  const step = fc.record({
    name: fc.constantFrom(...NAMES),
    length: fc.nat(LENGTHS.length - 1),
    pick: fc.shuffledSubarray([...Array(VECTORS).keys()], { minLength: 4, maxLength: 4 }),
    a: number,
  });
  const play = (
    loops: Loops,
    { vectors, halves }: Arena,
    steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
  ) =>
    steps.map(({ name, length, pick, a }) => {
      const chosen = pick.map((k) => vectors[length * VECTORS + k]!) as [Vec, Vec, Vec, Vec];
      return ACTS[name](loops, chosen, halves[length]!, a);
    });

  it('over any sequence of functions leaves what they leave one after the other', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer(), (steps, seed) => {
        const ours = arenaOf(LENGTHS, `${seed}`, VECTORS);
        const theirs = copyOf(ours);
        const returned = vec.inOnePass(() => play(fast, ours, steps));
        expect(returned).toEqual(play(slow, theirs, steps));
        same(ours, theirs);
      }),
      { numRuns: 60 },
    );
  });

  it('is one with the pass around it, and done when an error leaves it', () => {
    const [x, y] = [new Float32Array(600).fill(1), new Float32Array(600).fill(2)];
    expect(() =>
      vec.inOnePass(() => {
        vec.inOnePass(() => vec.axpy(x, 1, y));
        expect(x[0]).toBe(1);
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(x.every((value) => value === 3)).toBe(true);
  });

  it('keeps the order between views of the same memory', () => {
    const whole = new Float32Array(1200).fill(1);
    const [low, high, across] = [whole.subarray(0, 600), whole.subarray(600), whole.subarray(300, 900)];
    vec.inOnePass(() => {
      vec.scale(low, 2);
      vec.scale(across, 3);
      vec.scale(high, 5);
    });
    expect([whole[0], whole[299], whole[300], whole[599], whole[600], whole[899], whole[900]]).toEqual([
      2, 2, 6, 6, 15, 15, 5,
    ]);
  });
});

function same(ours: Arena, theirs: Arena): void {
  ours.vectors.forEach((vector, k) => sameBits(vector, theirs.vectors[k]!));
  ours.halves.forEach((half, k) => expect(half).toEqual(theirs.halves[k]));
}

/** As toEqual, which takes seconds over vectors that long; a NaN is any NaN. */
function sameBits(a: Vec, b: Vec): void {
  const at = a.findIndex((value, i) => !Object.is(value, b[i]));
  if (at !== -1) expect.fail(`element ${at} of ${a.length} is ${a[at]}, not ${b[at]}`);
}
