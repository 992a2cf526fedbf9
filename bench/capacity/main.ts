// `npm run bench:capacity`: how much one coordinator and one dashboard bear, each figure against what is promised of it. Unlike
// the ratios of `npm run bench` these are absolute: they are this machine's, and it has to have nothing else to do.

import { Command, InvalidArgumentError } from 'commander';
import { table } from '../timing.ts';
import type { Found } from './found.ts';
import { measureCharts } from './charts.ts';
import { measureIdle } from './idle.ts';
import { measurePushes } from './push.ts';

interface Options {
  readonly seconds: number;
  readonly workers: number;
  readonly method: string;
  readonly clients: number;
  readonly minutes: number;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

const PARTS: Readonly<Record<string, (options: Options) => Promise<readonly Found[]>>> = {
  push: measurePushes,
  idle: async (options) => [...(await measureIdle(options, 'http')), ...(await measureIdle(options, 'https'))],
  charts: measureCharts,
};

const program = new Command('npm run bench:capacity --')
  .argument('[parts...]', `of ${Object.keys(PARTS).join(', ')}; all when none is named`)
  .option('--seconds <n>', 'for how long pushes are counted, after ten to warm up', positive, 60)
  .option('--workers <n>', 'that push, all in one process', positive, 4)
  .option('--method <name>', 'of the run that is pushed to', 'gap-aware')
  .option('--clients <n>', 'that are connected and idle', positive, 1000)
  .option('--minutes <n>', 'for how long the charts are streamed to; the promise of a flat heap is of 60', positive, 1)
  .parse();
const parts = program.args.length > 0 ? program.args : Object.keys(PARTS);
const unknown = parts.find((part) => !(part in PARTS));
if (unknown !== undefined) program.error(`error: no part is called ${unknown}: expected ${Object.keys(PARTS).join(', ')}`); // prettier-ignore
for (const part of parts) {
  const rows = await PARTS[part]!(program.opts<Options>());
  const met = ({ met }: Found): string => (met === null ? '–' : met ? 'yes' : '**no**');
  console.log(`\n## ${part}\n`);
  console.log(table(['what', 'found', 'promised', 'met'], rows.map((row) => [row.what, row.found, row.promised, met(row)]))); // prettier-ignore
}
process.exit(0);
