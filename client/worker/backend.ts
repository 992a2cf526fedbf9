// Chooses what this worker computes on: the first of WebGPU, WebGL, wasm and cpu that starts and passes the self-test.
// Only what is tried is downloaded. The choice is this thread's, as TensorFlow.js has one backend at a time.

import * as tf from '@tensorflow/tfjs-core';
import type { ModelSpec } from '../../shared/model/spec.ts';
import { selfTest } from '../../shared/nn/selftest.ts';
import type { ListenerHost, WasmPaths } from '../../shared/nn/wasm.ts';
import { ADAPTER_CHARS_MAX, type Backend, type Device } from '../../shared/protocol/messages.ts';
import { startWebgl, startWebgpu, type GpuOptions, type StartedBackend } from './gpu.ts';

export interface ChooseOptions {
  /** Tried first, and then accepted also as a software imitation; the others follow. */
  readonly prefer?: Backend | null | undefined;
  /** Not tried at all. */
  readonly exclude?: readonly Backend[];
  /** Test only this model's layers; all kinds when absent. */
  readonly model?: ModelSpec;
  readonly wasmPaths: WasmPaths;
  /** In Node, its `process`: see useWasm. */
  readonly host?: ListenerHost | undefined;
  /** Told once if the chosen device is lost or reports an error: nothing it computes may be used any more. */
  readonly onLost: (reason: string) => void;
}

const ORDER = ['webgpu', 'webgl', 'wasm', 'cpu'] as const satisfies readonly Backend[];
type Candidate = (typeof ORDER)[number];

/** Longest that one backend may take to start and pass; WebGPU's first shaders have been seen to take 10 s. */
const DEADLINE_MS = 60_000;

let chosen: StartedBackend | null = null;

/** Sets the backend, closing one chosen before, and describes it. Throws, with every reason, when none will do. */
export async function chooseBackend(options: ChooseOptions): Promise<Device> {
  tf.enableProdMode();
  chosen?.close();
  chosen = null;
  const { prefer, exclude = [] } = options;
  const order = [...ORDER.filter((name) => name === prefer), ...ORDER.filter((name) => name !== prefer)];
  const tried: { backend: Backend; reason: string }[] = [];
  for (const backend of order.filter((name) => !exclude.includes(name))) {
    try {
      chosen = await attempt(backend, options);
      const { adapter, fallback } = chosen;
      return { backend, adapter: adapter.slice(0, ADAPTER_CHARS_MAX), fallback, tried };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tried.push({ backend, reason: reason.slice(0, ADAPTER_CHARS_MAX) });
    }
  }
  throw new Error(`no backend works here: ${tried.map(({ backend, reason }) => `${backend}: ${reason}`).join('; ')}`);
}

/** Starts and tests one backend; throws the reason to pass it over. */
async function attempt(name: Candidate, { prefer, model, onLost, ...where }: ChooseOptions): Promise<StartedBackend> {
  let trouble: string | null = null;
  let accepted = false;
  const onTrouble = (reason: string): void => {
    if (accepted && trouble === null) onLost(reason);
    trouble ??= reason;
  };
  const software = name === prefer;
  const started = await withDeadline((signal) => start(name, where, { onTrouble, software, signal }));
  try {
    const { ok, reason } = await withDeadline(() => selfTest(model));
    if (trouble !== null) throw new Error(trouble);
    if (!ok) throw new Error(`failed the self-test: ${reason}`);
  } catch (error) {
    started.close();
    throw error;
  }
  accepted = true;
  return started;
}

type Where = Pick<ChooseOptions, 'wasmPaths' | 'host'>;

async function start(name: Candidate, { wasmPaths, host }: Where, options: GpuOptions): Promise<StartedBackend> {
  switch (name) {
    case 'webgpu':
      return startWebgpu(options);
    case 'webgl':
      return startWebgl(options);
    case 'wasm': {
      const { useWasm } = await import('../../shared/nn/wasm.ts');
      options.signal.throwIfAborted();
      options.signal.addEventListener('abort', () => disregard(name));
      await useWasm(wasmPaths, host);
      return { adapter: 'CPU, WebAssembly', fallback: false, close: () => undefined };
    }
    case 'cpu':
      await import('@tensorflow/tfjs'); // brings the cpu backend: the last resort may be large
      options.signal.throwIfAborted();
      await tf.setBackend('cpu');
      return { adapter: 'CPU, JavaScript', fallback: false, close: () => undefined };
    default:
      return name satisfies never;
  }
}

/** A backend that is still starting does not become this thread's when it comes after all. It can be started again. */
function disregard(name: Candidate): void {
  const factory = tf.findBackendFactory(name);
  tf.removeBackend(name);
  tf.registerBackend(name, factory);
}

/** The signal is aborted at the deadline: what comes later must change nothing. */
function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abandoned = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer in ${DEADLINE_MS / 1000} s`));
      abandoned.abort();
    }, DEADLINE_MS);
  });
  return Promise.race([work(abandoned.signal), deadline]).finally(() => clearTimeout(timer));
}
