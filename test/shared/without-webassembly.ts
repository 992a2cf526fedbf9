// The same modules on a host that has no WebAssembly: what the kernels compute is compared with what these do.

import { vi } from 'vitest';

/** Imports a fresh copy of the modules that `load` imports, in which the loops in TypeScript do everything. */
export async function withoutWebAssembly<T>(load: () => Promise<T>): Promise<T> {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', undefined);
  try {
    const modules = await load();
    const { kernels } = await import('../../shared/kernels/code.ts');
    if (kernels() !== null) throw new Error('WebAssembly is still there'); // asked once, remembered
    return modules;
  } finally {
    vi.unstubAllGlobals();
    vi.resetModules();
  }
}
