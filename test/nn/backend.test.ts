// The choice of a backend, in Node: the GPUs are stand-ins that say no, wasm and cpu are real.

import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { wasmFolder } from '../../client/headless/wasm.ts';
import { chooseBackend, type ChooseOptions } from '../../client/worker/backend.ts';
import type { Device } from '../../shared/protocol/messages.ts';
import { useBackend } from './backends.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const onLost = (reason: string): never => {
  throw new Error(`nothing was lost: ${reason}`);
};
const choose = (options: Partial<ChooseOptions> = {}): Promise<Device> =>
  chooseBackend({ wasmPaths: wasmFolder(), onLost, ...options });

/** A promise, and its answer at a time of the test's choice. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((given) => (resolve = given));
  return { promise, resolve };
}

/** A browser whose requestAdapter gives this. */
function stubGpu(adapter: object | null): void {
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
}

const reasonFor = (device: Device, backend: string): string | undefined =>
  device.tried.find((one) => one.backend === backend)?.reason;

test('without a GPU it is wasm, and the GPUs are passed over with a reason', async () => {
  vi.stubGlobal('navigator', {});
  const device = await choose();
  expect(device).toMatchObject({ backend: 'wasm', fallback: false });
  expect(tf.getBackend()).toBe('wasm');
  expect(device.tried).toEqual([
    { backend: 'webgpu', reason: 'needs a secure page: https, or localhost' },
    { backend: 'webgl', reason: 'not in this browser' },
  ]);
});

test('a browser may have WebGPU and no GPU', async () => {
  stubGpu(null);
  expect(reasonFor(await choose(), 'webgpu')).toBe('the browser offers no GPU');
});

test.each([
  { vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: false },
  { vendor: 'acme', architecture: 'cpu', isFallbackAdapter: true },
])('a GPU imitated in software ($architecture) is passed over: wasm is faster', async (named) => {
  stubGpu({ info: { device: '', description: '', ...named } });
  const expected = `imitated in software here (${named.vendor} ${named.architecture})`;
  expect(reasonFor(await choose(), 'webgpu')).toBe(expected);
});

test('on request a software GPU is tried, and what it then says is the reason', async () => {
  const info = { vendor: 'google', architecture: 'swiftshader', device: '', description: '', isFallbackAdapter: true };
  stubGpu({ info, limits: {}, requestDevice: () => Promise.reject(new Error('out of memory')) });
  const device = await choose({ prefer: 'webgpu' });
  expect(device.backend).toBe('wasm');
  expect(reasonFor(device, 'webgpu')).toBe('out of memory');
});

test('the preferred backend comes first, and what is excluded is not tried', async () => {
  expect(await choose({ prefer: 'cpu' })).toMatchObject({ backend: 'cpu', tried: [] });
  const device = await choose({ exclude: ['webgpu', 'webgl', 'wasm'] });
  expect(device).toMatchObject({ backend: 'cpu', tried: [] });
});

test('a backend that computes wrongly is passed over for the next', async () => {
  await useBackend('wasm');
  const original = tf.getKernel(tf.Step, 'wasm');
  const exchange = (config: tf.KernelConfig): void => {
    tf.unregisterKernel(tf.Step, 'wasm');
    tf.registerKernel(config);
  };
  exchange({ ...original, kernelFunc: ({ inputs }) => tf.zerosLike(inputs.x as tf.Tensor) });
  try {
    const device = await choose({ prefer: 'wasm' });
    expect(device.backend).toBe('cpu');
    expect(reasonFor(device, 'wasm')).toMatch(/^failed the self-test: relu: relative error/);
  } finally {
    exchange(original);
  }
});

test('when none is left it says why, of each', async () => {
  vi.stubGlobal('navigator', {});
  await expect(choose({ exclude: ['wasm', 'cpu'] })).rejects.toThrow(/no backend works here: webgpu: .+; webgl: .+/);
});

describe('[B3] a backend that starts too late', () => {
  const info = { vendor: 'acme', architecture: 'gpu', device: '', description: '', isFallbackAdapter: false };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Until the first deadline has passed. */
  const letTimePass = async (): Promise<void> => {
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    vi.advanceTimersByTime(60_000);
  };

  it('is passed over, and its GPU is let go of when it comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const destroy = vi.fn();
    const asked = deferred<object>();
    stubGpu({ info, limits: {}, requestDevice: () => asked.promise });
    const choice = choose();
    await letTimePass();
    const device = await choice;
    expect(device.backend).toBe('wasm');
    expect(reasonFor(device, 'webgpu')).toBe('no answer in 60 s');
    const backend = tf.backend();
    asked.resolve({ destroy, lost: new Promise(() => undefined), addEventListener: () => undefined });
    await vi.waitFor(() => expect(destroy).toHaveBeenCalled());
    expect([tf.getBackend(), tf.backend()]).toEqual(['wasm', backend]);
  });

  it('asks for no device with an adapter that comes late', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const adapter = deferred<object>();
    const requestDevice = vi.fn();
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => adapter.promise } });
    const choice = choose();
    await letTimePass();
    expect((await choice).backend).toBe('wasm');
    adapter.resolve({ info, limits: {}, requestDevice });
    await turn();
    expect(requestDevice).not.toHaveBeenCalled();
  });

  it('does not take the place of the one that is used, and starts the next time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await useBackend('wasm');
    const real = tf.backend();
    const starting = deferred<typeof real>();
    const factory = tf.findBackendFactory('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', () => starting.promise);
    const choice = choose({ exclude: ['webgpu', 'webgl'] });
    await letTimePass();
    expect(await choice).toMatchObject({ backend: 'cpu', tried: [{ backend: 'wasm', reason: 'no answer in 60 s' }] });
    const backend = tf.backend();
    starting.resolve(real);
    await turn();
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.backend()).toBe(backend);
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory);
    expect(await choose({ prefer: 'wasm' })).toMatchObject({ backend: 'wasm' });
  });
});
