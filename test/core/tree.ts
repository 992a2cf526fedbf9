// A value somewhere in a tree of plain data, by its path: for tests that spoil one.

export type Tree = Record<string, unknown>;
export const at = (tree: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((found, name) => (found as Tree)[name], tree);
/** Sets what is there under a path, or with `undefined` takes it out. */
export function put(tree: unknown, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop()!;
  const parent = (names.length === 0 ? tree : at(tree, names.join('.'))) as Tree;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}
