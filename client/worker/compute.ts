// The trainer and the backend chooser, as the shell's `Compute` port. TensorFlow.js has one backend a thread, so there
// is one of these a thread too.

import { layoutOf } from '../../shared/model/layout.ts';
import type { ListenerHost, WasmPaths } from '../../shared/nn/wasm.ts';
import type { Device, RunManifest } from '../../shared/protocol/messages.ts';
import { chooseBackend } from './backend.ts';
import type { Compute, Computed, DeviceOptions, Job } from './ports.ts';
import { Trainer } from '../../shared/nn/trainer.ts';

export interface DeviceComputeOptions {
  readonly wasmPaths: WasmPaths;
  /** In Node, its `process`. */
  readonly host?: ListenerHost;
}

export class DeviceCompute implements Compute {
  readonly #where: DeviceComputeOptions;
  /** The last choice: another begins when it is over. */
  #choice: Promise<unknown> = Promise.resolve();
  #trainer: { readonly run: RunManifest; readonly trainer: Trainer } | null = null;

  constructor(where: DeviceComputeOptions) {
    this.#where = where;
  }

  chooseDevice(options: DeviceOptions): Promise<Device> {
    // A device in place of another is wanted soon: it is tested with what it will compute, not with everything.
    const model = this.#trainer?.run.model;
    this.#trainer = null; // a step that the lost device never finished may still hold its buffers
    const choose = (): Promise<Device> => chooseBackend({ ...options, ...this.#where, ...(model && { model }) });
    const choice = this.#choice.then(choose, choose);
    this.#choice = choice;
    return choice;
  }

  compute({ run, lease, theta, shardOf }: Job): Promise<Computed> {
    return this.#trainerFor(run).compute({ work: lease.work, batches: lease.batches, theta }, shardOf);
  }

  #trainerFor(run: RunManifest): Trainer {
    const kept = this.#trainer;
    // A worker that is welcomed back keeps its trainer, and with it the inner optimizer's memory.
    if (kept?.run.runKey === run.runKey && kept.run.layoutHash === run.layoutHash) return kept.trainer;
    const { mean, deviation } = run.dataset;
    const trainer = new Trainer({ model: run.model, layout: layoutOf(run.model), scale: { mean, deviation } });
    this.#trainer = { run, trainer };
    return trainer;
  }
}
