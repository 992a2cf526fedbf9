// What the simulator can compare: every method there is, and the plain optimizers that they are measured against.

import { loadMethods, type Registry } from '../../registry.ts';
import { baselines } from '../../sim/experiments/baselines.ts';

export async function loadContenders(): Promise<Registry> {
  const methods = await loadMethods();
  return new Map([...methods, ...baselines(methods).map((method) => [method.name, method] as const)]);
}
