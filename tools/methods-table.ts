// `npm run docs`: the table of methods in docs/ALGORITHMS.md, from the methods' own files. A test makes it again and
// compares, so the page cannot say otherwise than the program.

import { readFile, writeFile } from 'node:fs/promises';
import type { Hyperparameter } from '../server/core/hyperparameters.ts';
import type { Method } from '../server/core/method.ts';
import { loadMethods } from '../server/registry.ts';

export const PAGE = 'docs/ALGORITHMS.md';
const BEGIN = '<!-- methods: begin, made by npm run docs -->';
const END = '<!-- methods: end -->';
/** Which files of server/core hold the choices on an axis. */
const AXES: readonly (readonly [axis: string, files: RegExp])[] = [
  ['work', /^work$/],
  ['gate', /^(gate|globalbatch|rounds)$/],
  ['view', /^view$/],
  ['screen', /^screen$/],
  ['correct', /^correct/],
  ['gather', /^gather$/],
  ['outer', /^outer/],
];

/** The page with its table made anew. Throws when the page has no place for it. */
export async function pageWithTable(): Promise<string> {
  const page = await readFile(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${PAGE}: expected the lines "${BEGIN}" and "${END}"`);
  const rows = await Promise.all([...(await loadMethods()).values()].map(rowOf));
  const head = '| method | what it does | paper | axes | hyper-parameters |\n|---|---|---|---|---|';
  return `${before}${BEGIN}\n\n${head}\n${rows.join('\n')}\n\n${END}${after}`;
}

async function rowOf({ name, title, summary, paper, hyperparameters }: Method): Promise<string> {
  const { authors, year, url, where } = paper;
  const own = Object.entries(hyperparameters).map(([key, parameter]) => described(key, parameter));
  const cells = [
    `\`${name}\``,
    `**${title}.** ${summary}`,
    `[${authors} (${year})](${url}), ${where}`,
    await axesOf(name),
    own.join('; ') || '–',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function described(key: string, parameter: Hyperparameter): string {
  const symbol = parameter.kind === 'number' && parameter.symbol ? ` (${parameter.symbol})` : '';
  return `\`${key}\`${symbol} = ${parameter.default}`;
}

/** The choices that a method's file imports, by axis. */
async function axesOf(name: string): Promise<string> {
  const source = await readFile(`server/methods/${name}.ts`, 'utf8');
  const imports = [...source.matchAll(/import \{([^}]+)\} from '\.\.\/core\/([\w/-]+)\.ts'/g)];
  const chosen = AXES.map(([axis, files]) => {
    const names = imports.filter(([, , file]) => files.test(file!)).flatMap(([, list]) => list!.split(','));
    const stages = names.map((one) => one.trim()).filter((one) => /^[a-z]/.test(one) && !one.startsWith('type '));
    return stages.length > 0 ? `${axis}: ${stages.join(', ')}` : axis === 'work' ? 'work: gradient' : '';
  });
  return chosen.filter(Boolean).join('<br>');
}

if (process.argv[1]?.endsWith('tools/methods-table.ts')) await writeFile(PAGE, await pageWithTable());
