// Runs kernels over long vectors: chunk by chunk they are copied into the kernels' small memory and back. The copies run
// at memcpy speed from cache to cache, and so a vector stays an ordinary Float32Array, wherever it comes from. Operations
// called within `inOnePass` wait for each other, and then all run on a chunk while it is there.

import { kernels, type KernelName, type Kernels } from './code.ts';

/** Shorter vectors are left to the loops in TypeScript: below this the copies cost more than they save. */
export const STAGED_MIN = 512;

/** Elements a chunk: as many vectors of it as there are slots fit a second-level cache. A multiple of 8. */
const CHUNK = 4096;
/** Vectors of one pass: the widest, DANA with the gap-aware penalty, has six. */
const SLOTS = 8;
/** Below it lies what the compiler put there. */
const BASE_BYTES = 1024;
/** Room for what a kernel may touch past the n-th element; and slots a power of two apart would share cache sets. */
const SLOT_BYTES = CHUNK * 4 + 64;

type Column = Float32Array | Uint16Array;

/** Which of a kernel's vectors it reads, from this one on, and how many of the first it writes. */
interface Traffic {
  readonly readsFrom: number;
  readonly writes: number;
}
/** Changes the first vector. */
export const UPDATE: Traffic = { readsFrom: 0, writes: 1 };
/** Changes the first two. */
export const UPDATE_TWO: Traffic = { readsFrom: 0, writes: 2 };
/** Writes the first without reading it. */
export const WRITE: Traffic = { readsFrom: 1, writes: 1 };
const READ: Traffic = { readsFrom: 0, writes: 0 };

/** One kernel over whole vectors. */
interface Operation {
  readonly name: KernelName;
  readonly traffic: Traffic;
  readonly vectors: readonly Column[];
  readonly numbers: readonly number[];
}

/** A vector that has a slot in the present pass. */
interface Slotted {
  readonly vector: Column;
  readonly slot: Column;
  /** The pass begins with what the vector holds. */
  readonly load: boolean;
  store: boolean;
}

class Stage {
  readonly #code: Kernels;
  readonly #floats: Float32Array[] = [];
  readonly #halves: Uint16Array[] = [];
  #operations: Operation[] = [];
  #slotted: Slotted[] = [];

  constructor(code: Kernels) {
    this.#code = code;
    for (let k = 0; k < SLOTS; k++) {
      this.#floats.push(new Float32Array(code.memory.buffer, BASE_BYTES + k * SLOT_BYTES, CHUNK));
      this.#halves.push(new Uint16Array(code.memory.buffer, BASE_BYTES + k * SLOT_BYTES, CHUNK));
    }
  }

  /** Adds to the present pass; runs that one first when there is no room, or the vectors do not go together. */
  add(operation: Operation): void {
    if (!this.#fits(operation.vectors)) this.run();
    this.#operations.push(operation);
    const { vectors, traffic } = operation;
    vectors.forEach((vector, k) => {
      const slotted = this.#slotted.find((one) => one.vector === vector) ?? this.#admit(vector, k >= traffic.readsFrom);
      if (k < traffic.writes) slotted.store = true;
    });
  }

  run(): void {
    const [operations, slotted] = [this.#operations, this.#slotted];
    this.#operations = [];
    this.#slotted = [];
    if (operations.length === 0) return;
    const calls = operations.map(({ name, traffic, vectors, numbers }) => {
      const at = vectors.map((vector) => slotted.find((one) => one.vector === vector)!);
      return {
        kernel: this.#code[name],
        rest: [...at.map(({ slot }) => slot.byteOffset), ...numbers],
        sums: traffic === READ ? at : [],
      };
    });
    const { length } = slotted[0]!.vector;
    for (let from = 0; from < length; from += CHUNK) {
      const n = Math.min(CHUNK, length - from);
      for (const { vector, slot, load } of slotted) if (load) slot.set(vector.subarray(from, from + n));
      for (const { kernel, rest, sums } of calls) {
        for (const { slot } of sums) slot.fill(0, n, Math.ceil(n / 4) * 4);
        kernel(n, ...rest);
      }
      for (const { vector, slot, store } of slotted) {
        if (store) vector.set(n === CHUNK ? slot : slot.subarray(0, n), from);
      }
    }
  }

  #fits(vectors: readonly Column[]): boolean {
    const [first] = this.#slotted;
    if (first === undefined) return true;
    const fresh = vectors.filter((vector) => !this.#slotted.some((one) => one.vector === vector));
    return (
      this.#slotted.length + fresh.length <= SLOTS &&
      fresh.every(({ length, buffer }) => {
        return length === first.vector.length && !this.#slotted.some((one) => one.vector.buffer === buffer);
      })
    );
  }

  #admit(vector: Column, load: boolean): Slotted {
    const k = this.#slotted.length;
    const slot = (vector.BYTES_PER_ELEMENT === 4 ? this.#floats : this.#halves)[k]!;
    const slotted = { vector, slot, load, store: false };
    this.#slotted.push(slotted);
    return slotted;
  }
}

let stage: Stage | null = null;
let waiting = false;

/**
 * Runs the operations that `body` calls in as few passes over memory as will do, with the results that they have one
 * after the other. Until it returns, only functions of vec.ts and f16.ts may touch a vector: the rest would see it early.
 */
export function inOnePass<T>(body: () => T): T {
  if (waiting) return body();
  waiting = true;
  try {
    return body();
  } finally {
    waiting = false;
    settle();
  }
}

/** Runs what waits: what a function without a kernel does first. */
export function settle(): void {
  stage?.run();
}

/** Runs a kernel over vectors of one length, or lets it wait; or returns false where a loop must do it, now. */
export function staged(
  name: KernelName,
  traffic: Traffic,
  vectors: readonly Column[],
  numbers: readonly number[] = [],
): boolean {
  const doubles = vectors.some(({ BYTES_PER_ELEMENT }) => BYTES_PER_ELEMENT === 8); // there are no kernels for them
  const code = vectors[0]!.length < STAGED_MIN || doubles ? null : kernels();
  if (code === null) {
    settle();
    return false;
  }
  stage ??= new Stage(code);
  stage.add({ name, traffic, vectors, numbers });
  if (!waiting) stage.run();
  return true;
}

/** What a kernel sums up over all elements; null where a loop must do it. Ends a pass. */
export function stagedSum(
  name: 'sumSquares' | 'dot' | 'sumSquaredDifferences',
  vectors: readonly Column[],
): number | null {
  kernels()?.begin();
  if (!staged(name, READ, vectors)) return null;
  settle();
  return kernels()!.sum();
}

/** max |x|; null where a loop must do it. Ends a pass. */
export function stagedMaxAbs(x: Column): number | null {
  kernels()?.begin();
  if (!staged('maxAbs', READ, [x])) return null;
  settle();
  return kernels()!.maximum();
}
