// Passes on the latest of many values, at most so often; the last one always arrives.

export interface ThrottleOptions<T> {
  readonly everyMs: number;
  /** Whether the change from the last value passed on cannot wait. */
  readonly urgent: (before: T, after: T) => boolean;
}

export class Throttle<T> {
  readonly #pass: (value: T) => void;
  readonly #options: ThrottleOptions<T>;
  #last: { readonly value: T; readonly atMs: number } | null = null;
  #latest: T | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pass: (value: T) => void, options: ThrottleOptions<T>) {
    this.#pass = pass;
    this.#options = options;
  }

  offer(value: T): void {
    this.#latest = value;
    const waitMs = this.#last === null ? 0 : this.#last.atMs + this.#options.everyMs - performance.now();
    if (this.#last === null || waitMs <= 0 || this.#options.urgent(this.#last.value, value)) this.#flush(value);
    else this.#timer ??= setTimeout(() => this.#flush(this.#latest as T), waitMs);
  }

  #flush(value: T): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = { value, atMs: performance.now() };
    this.#pass(value);
  }
}
