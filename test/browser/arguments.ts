// How Chromium is started: without a window, with a WebGPU device that needs no GPU (SwiftShader), and reaching nothing
// outside of this machine.

export const ARGUMENTS: readonly string[] = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
