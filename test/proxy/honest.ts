// An honest worker that goes on pushing while others attack, and how long each of its exchanges took.

import { PlainWorker } from '../server/harness.ts';

export class Honest {
  readonly #worker: PlainWorker;
  #going = true;
  #times: number[] = [];
  #sinceMs = performance.now();
  readonly #done: Promise<void>;

  private constructor(worker: PlainWorker) {
    this.#worker = worker;
    this.#done = this.#train();
  }

  static async at(url: string): Promise<Honest> {
    return new Honest(await PlainWorker.join(url));
  }

  /** 95th percentile of an exchange, and exchanges a second, since the last call. */
  take(): { p95Ms: number; perSecond: number; count: number } {
    const times = this.#times.sort((a, b) => a - b);
    const seconds = (performance.now() - this.#sinceMs) / 1000;
    this.#times = [];
    this.#sinceMs = performance.now();
    return {
      p95Ms: times[Math.floor(0.95 * times.length)] ?? NaN,
      perSecond: times.length / seconds,
      count: times.length,
    };
  }

  get count(): number {
    return this.#times.length;
  }

  /** Rejects when one of its exchanges failed. */
  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #train(): Promise<void> {
    let params = await this.#worker.lease();
    const gradient = new Float32Array(params.theta.length).fill(1e-6);
    while (this.#going) {
      const beganMs = performance.now();
      params = (await this.#worker.push(params, gradient)).params ?? (await this.#worker.lease());
      this.#times.push(performance.now() - beganMs);
      await new Promise((resolve) => setTimeout(resolve, 10)); // the step that it computes
    }
  }
}
