// A slower machine than this one: every step takes some times as long. For trying stragglers, and mixed fleets.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../../shared/protocol/messages.ts';
import type { Compute, Computed, DeviceOptions, Job } from '../worker/ports.ts';

export class Slowed implements Compute {
  readonly #compute: Compute;
  readonly #factor: number;

  /** `factor` of at least 1. */
  constructor(compute: Compute, factor: number) {
    this.#compute = compute;
    this.#factor = factor;
  }

  chooseDevice(options: DeviceOptions): Promise<Device> {
    return this.#compute.chooseDevice(options);
  }

  async compute(job: Job): Promise<Computed> {
    const startMs = performance.now();
    const computed = await this.#compute.compute(job);
    if (this.#factor > 1) await sleep((this.#factor - 1) * (performance.now() - startMs));
    return computed;
  }
}
