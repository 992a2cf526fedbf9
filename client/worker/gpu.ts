// Starts TensorFlow.js's two GPU backends, and says what they really run on. The WebGPU device is ours, not the
// library's: it does not notice when a device is lost, nor when a shader was invalid and its results are zeros.

import * as tf from '@tensorflow/tfjs-core';

/** A backend that is set and has not been tested. */
export interface StartedBackend {
  /** The GPU's name, as far as the browser tells. */
  readonly adapter: string;
  /** Whether the GPU is imitated in software. */
  readonly fallback: boolean;
  /** Removes the backend and lets go of the device. */
  close(): void;
}

export interface GpuOptions {
  /** Told, once or more, why results can no longer be trusted. */
  readonly onTrouble: (reason: string) => void;
  /** Accept a GPU that is imitated on the CPU: slower than the CPU itself, so only on request. */
  readonly software: boolean;
  /** Aborted when nobody waits for this backend any more: it must not be set then. */
  readonly signal: AbortSignal;
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Sets the WebGPU backend on a device of its own. Throws, with a reason for a person, where there is none. */
export async function startWebgpu({ onTrouble, software, signal }: GpuOptions): Promise<StartedBackend> {
  const { navigator, isSecureContext } = globalThis as { navigator?: { gpu?: GPU }; isSecureContext?: boolean };
  const gpu = navigator?.gpu;
  if (!gpu) throw new Error(isSecureContext ? 'not in this browser' : 'needs a secure page: https, or localhost');
  const found = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  signal.throwIfAborted();
  if (!found) throw new Error('the browser offers no GPU');
  const { vendor, architecture, device: model, description, isFallbackAdapter } = found.info;
  const adapter = [vendor, architecture, model, description].filter((part) => part !== '').join(' ') || 'unnamed GPU';
  const fallback = isFallbackAdapter || SOFTWARE.test(adapter);
  if (fallback && !software) throw new Error(`imitated in software here (${adapter})`);

  const device = await found.requestDevice({ requiredLimits: limitsOf(found.limits) });
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  if (signal.aborted) device.destroy();
  signal.throwIfAborted();
  let closed = false;
  device.addEventListener('uncapturederror', (event) => onTrouble(`WebGPU error: ${event.error.message}`));
  void device.lost.then(({ reason, message }) => {
    if (!closed) onTrouble(`GPU device lost: ${message || reason}`);
  });
  remove('webgpu'); // the one that the import registers would ask for a device itself
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, found.info));
  const close = (): void => {
    closed = true;
    remove('webgpu');
    device.destroy();
  };
  await set('webgpu', close);
  return { adapter, fallback, close };
}

/** Sets the WebGL 2 backend. Throws, with a reason for a person, where there is none. */
export async function startWebgl({ onTrouble, software, signal }: GpuOptions): Promise<StartedBackend> {
  const adapter = webglRenderer();
  const fallback = SOFTWARE.test(adapter);
  if (fallback && !software) throw new Error(`imitated in software here (${adapter})`);

  const { MathBackendWebGL } = await import('@tensorflow/tfjs-backend-webgl');
  signal.throwIfAborted();
  tf.env().set('SOFTWARE_WEBGL_ENABLED', software);
  remove('webgl'); // the import registers it only once, so not again after a loss
  tf.registerBackend('webgl', () => new MathBackendWebGL());
  const close = (): void => remove('webgl');
  await set('webgl', close);
  const backend = tf.backend();
  if (!(backend instanceof MathBackendWebGL)) throw new Error('another backend answers for it');
  backend.gpgpu.gl.canvas.addEventListener('webglcontextlost', () => onTrouble('WebGL context lost'));
  return { adapter, fallback, close };
}

/** The name of what draws, asked of a context that is given back at once. */
function webglRenderer(): string {
  const gl = 'OffscreenCanvas' in globalThis ? new OffscreenCanvas(1, 1).getContext('webgl2') : null;
  if (!gl) throw new Error('not in this browser');
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return name;
}

/** The limits that TensorFlow.js's shaders may use, as high as the adapter has them. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  return {
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
  };
}

async function set(name: string, close: () => void): Promise<void> {
  if (await tf.setBackend(name)) return;
  close();
  throw new Error('does not start here');
}

function remove(name: string): void {
  if (tf.findBackendFactory(name) as unknown) tf.removeBackend(name);
}
