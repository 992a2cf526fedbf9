// Every method there is: one file each in server/methods, found by listing the folder. A file added there is in the
// command line, the API, the dashboard, the tests and the simulator with no further edit.

import { readdir } from 'node:fs/promises';
import type { Method } from './core/method.ts';

const FOLDER = new URL('./methods/', import.meta.url);

export type Registry = ReadonlyMap<string, Method>;

/** Imports every file of a folder of methods, in alphabetical order. Throws when a file's name is not its method's. */
export async function loadMethods(folder: URL = FOLDER): Promise<Registry> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const methods = new Map<string, Method>();
  for (const file of files) {
    const module = (await import(new URL(file, folder).href)) as { default?: Method };
    const name = file.slice(0, -'.ts'.length);
    if (module.default?.name !== name) {
      throw new Error(
        `${new URL(file, folder).pathname}: expected a default export named "${name}", found "${module.default?.name ?? 'none'}"`,
      );
    }
    methods.set(name, module.default);
  }
  return methods;
}

/** The method of that name. Throws one sentence that lists the names there are. */
export function methodNamed(methods: Registry, name: string): Method {
  const method = methods.get(name);
  if (!method) throw new Error(`there is no method "${name}"; there are ${[...methods.keys()].join(', ')}`);
  return method;
}
