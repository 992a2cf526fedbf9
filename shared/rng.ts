// Seeded randomness for everything that must repeat: initial parameters, data order, simulated fleets.
// Never for secrets. A generator is forked by label, so a draw added in one place never shifts another.

/** A stream of random numbers; its whole state is four 32-bit words, so it can be checkpointed. */
export interface Rng {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, n). */
  below(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** Gamma with the given shape and scale, by Marsaglia and Tsang (2000). */
  gamma(shape: number, scale: number): number;
  /** An independent stream, named by the label and this generator's seed alone: draws made here do not change it. */
  fork(label: string): Rng;
  /** The four state words; `rngFromState` continues the draws from them. Fork before: forks are named by the first state. */
  state(): readonly [number, number, number, number];
}

/** 32-bit FNV-1a of a text, continued from `hash`. */
export function hashText(text: string, hash = 0x811c9dc5): number {
  let h = hash >>> 0;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  return h >>> 0;
}

/** A generator from a seed: the same on every machine. */
export function rng(seed: number | string): Rng {
  let h = hashText(String(seed));
  const word = (): number => {
    // splitmix32: spreads one word of seed over four words of state
    h = (h + 0x9e3779b9) | 0;
    let t = h ^ (h >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  const words: [number, number, number, number] = [word(), word(), word(), word()];
  return rngFromState(words);
}

/** sfc32 (Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush. */
export function rngFromState(words: readonly [number, number, number, number]): Rng {
  let [a, b, c, d] = words;
  const word = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  const next = (): number => word() / 4294967296;
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    return radius * Math.cos(2 * Math.PI * next());
  };
  return {
    next,
    below: (n) => Math.floor(next() * n),
    normal,
    gamma: (shape, scale) => scale * standardGamma(shape, next, normal),
    fork: (label) => rng(`${label}/${words.join(',')}`),
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}

function standardGamma(shape: number, next: () => number, normal: () => number): number {
  if (shape < 1) return standardGamma(shape + 1, next, normal) * Math.pow(1 - next(), 1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - next();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** The numbers 0 … n−1 in random order (Fisher and Yates). */
export function permutation(n: number, random: Rng): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}
