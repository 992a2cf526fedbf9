// What the page can compute with, and what it computes on, in words. Pure.

import type { Device } from '../../shared/protocol/messages.ts';
import { backendTitle } from '../page/words.ts';

/** What the browser offers before anything is tried. */
export type Offer = 'webgpu' | 'insecure' | 'no-webgpu';

export function offerOf(secure: boolean, webgpu: boolean): Offer {
  if (webgpu) return 'webgpu';
  return secure ? 'no-webgpu' : 'insecure';
}

/** One line before Contribute is pressed. */
export function offerText(offer: Offer): string {
  switch (offer) {
    case 'webgpu':
      return 'Your GPU, through WebGPU, for as long as this page is open and not paused.';
    case 'no-webgpu':
      return 'Your GPU through WebGL or your CPU, for as long as this page is open and not paused. This browser has no WebGPU, which would be faster.';
    case 'insecure':
      return 'Your CPU (WebAssembly), for as long as this page is open and not paused.';
    default:
      return offer satisfies never;
  }
}

export interface DeviceWords {
  readonly backend: string;
  readonly adapter: string;
  /** What a person should know about it; null when all is as it should be. */
  readonly note: string | null;
  readonly passedOver: readonly string[];
}

export function deviceWords(device: Device): DeviceWords {
  const passedOver = device.tried.map((one) => `${backendTitle(one.backend)}: ${one.reason}`);
  return {
    backend: backendTitle(device.backend),
    adapter: device.adapter,
    note: device.fallback
      ? 'A software fallback: the browser has no GPU to offer here, so the CPU imitates one. It works, slowly.'
      : null,
    passedOver,
  };
}
