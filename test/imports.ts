// Who imports whom: reads the import lines of source files, and says which of them the table of layers does not allow.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** Path of the importing file, from the root of the repository. */
  readonly from: string;
  /** Path of one of our files, or the name of a package. */
  readonly to: string;
  readonly ours: boolean;
  /** `import type`: gone when the code runs. */
  readonly typeOnly: boolean;
}

/** Static imports, re-exports and `import()` of a literal. Comments and strings that only look like one are left out. */
const IMPORT =
  /^\s*(import|export)(\s+type)?\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

export function importsOf(path: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].map((match) => {
    const target = (match[3] ?? match[4] ?? match[5])!;
    const ours = target.startsWith('.');
    const to = ours ? normalize(join(dirname(path), target)) : target;
    return { from: path, to: to.replace(/\?.*$/, ''), ours, typeOnly: match[2] !== undefined };
  });
}

interface Layer {
  /** Files this row is about: the longest prefix wins. */
  readonly zone: string;
  /** Prefixes of our files that they may import. */
  readonly ours: readonly string[];
  /** Packages that they may import; `node:` is a package like another. */
  readonly packages: RegExp;
}

const NONE = /^$/;
const ANY = /./;
const NO_TENSORS = /^(?!@tensorflow)/;

/** docs/SPEC.md says what the program does; this says where: shared below everything, shells around pure machines. */
export const LAYERS: readonly Layer[] = [
  { zone: 'shared/', ours: ['shared/'], packages: /^zod\/mini$/ },
  { zone: 'shared/nn/', ours: ['shared/'], packages: /^@tensorflow\// },
  { zone: 'shared/volunteer/', ours: ['shared/'], packages: NONE },
  { zone: 'server/', ours: ['shared/', 'server/core/', 'server/host/', 'server/*'], packages: NO_TENSORS },
  { zone: 'server/core/', ours: ['shared/', 'server/core/'], packages: /^zod\/mini$/ },
  { zone: 'server/methods/', ours: ['shared/', 'server/core/'], packages: NONE },
  { zone: 'server/adapters/', ours: ['shared/', 'server/core/', 'server/adapters/', 'server/*'], packages: NO_TENSORS },
  { zone: 'server/sim/', ours: ['shared/', 'server/core/', 'server/sim/', 'server/*'], packages: /^(vega|vega-lite)$/ },
  { zone: 'server/host/', ours: ['shared/', 'server/'], packages: NO_TENSORS },
  { zone: 'client/', ours: ['shared/', 'client/'], packages: NO_TENSORS },
  { zone: 'client/page/', ours: ['shared/', 'client/page/'], packages: NO_TENSORS },
  { zone: 'client/dashboard/', ours: ['shared/', 'client/page/', 'client/dashboard/'], packages: NO_TENSORS },
  {
    zone: 'client/volunteer/',
    ours: ['shared/', 'client/page/', 'client/volunteer/', 'client/worker/bridge.ts', 'client/worker/device-key.ts'],
    packages: NO_TENSORS,
  },
  { zone: 'client/worker/', ours: ['shared/', 'client/worker/'], packages: /^(?!react|@radix-ui|uplot|node:)/ },
  {
    zone: 'client/headless/',
    ours: ['shared/', 'client/headless/', 'client/worker/'],
    packages: /^(?!react|@radix-ui|uplot)/,
  },
  { zone: 'tools/', ours: ['shared/', 'server/', 'tools/'], packages: ANY },
  { zone: 'test/', ours: ['shared/', 'server/', 'client/', 'tools/', 'test/'], packages: ANY },
];
/** Of shared, the only folder with tensors: not for what must load without them. */
const WITHOUT_NN = [
  'shared/',
  'server/core/',
  'server/methods/',
  'client/page/',
  'client/dashboard/',
  'client/volunteer/',
];

const longest = (zones: readonly string[], path: string): string | undefined =>
  zones.filter((zone) => path.startsWith(zone)).sort((a, b) => b.length - a.length)[0];

/** `server/*` stands for the files of that folder itself. */
const covers = (prefix: string, path: string): boolean =>
  prefix.endsWith('/*') ? dirname(path) === prefix.slice(0, -2) : path.startsWith(prefix);

/** The adapter that a file belongs to: `x.ts`, `x-thread.ts` and everything in `x/` are adapter x. */
const adapterOf = (path: string): string => path.slice('server/adapters/'.length).split(/[/.]|-thread/)[0]!;

/** What is wrong with an import, in words; null when nothing is. */
export function violation({ from, to, ours }: Import): string | null {
  const zones = LAYERS.map(({ zone }) => zone);
  const layer = LAYERS.find(({ zone }) => zone === longest(zones, from));
  if (!layer) return `${from} is in no layer`;
  if (!ours) return layer.packages.test(to) ? null : `${from}: ${layer.zone} may not import the package ${to}`;
  const wrong = `${from}: ${layer.zone} may not import ${to}`;
  if (!layer.ours.some((prefix) => covers(prefix, to))) return wrong;
  if (to.startsWith('shared/nn/') && !from.startsWith('shared/nn/') && WITHOUT_NN.includes(layer.zone)) return wrong;
  if (from.startsWith('server/methods/') && to.startsWith('server/methods/')) return wrong;
  const adapters = from.startsWith('server/adapters/') && to.startsWith('server/adapters/');
  if (adapters && adapterOf(from) !== adapterOf(to)) return wrong;
  return null;
}

/** Source files under a folder of the repository, by path from its root. */
export function sourcesUnder(folder: string): { readonly path: string; readonly text: string }[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}
