// What the numbers of a model are kept in, and how they come to be.

/** Float32 wherever anything is trained. What `zeros` makes within `inDoubles` is a Float64Array that passes for one. */
export type Vec = Float32Array;

let doubles = false;

/** Vectors that `body` makes, before it returns, hold doubles: for arithmetic that is held against formulas. */
export function inDoubles<T>(body: () => T): T {
  const before = doubles;
  doubles = true;
  try {
    return body();
  } finally {
    doubles = before;
  }
}

/** `dim` zeros. */
export function zeros(dim: number): Vec {
  return doubles ? (new Float64Array(dim) as unknown as Vec) : new Float32Array(dim);
}

export function vecOf(values: ArrayLike<number>): Vec {
  const vector = zeros(values.length);
  vector.set(values);
  return vector;
}

export const isDouble = (vector: Vec): boolean => vector.BYTES_PER_ELEMENT === 8;
export const isVec = (value: unknown): value is Vec => value instanceof Float32Array || value instanceof Float64Array;
