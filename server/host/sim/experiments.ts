// `npm run experiments`: runs a preset, prints its table, and says what it had to show and whether it did. Ends with 1
// when a claim fails that is not known to fail here, and when one that is known to fail holds.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import type { TopLevelSpec } from 'vega-lite';
import { unexpected, type Check, type Experiment, type Size } from '../../sim/experiments/experiment.ts';
import { EXPERIMENTS } from '../../sim/experiments/index.ts';
import type { Scenario } from '../../sim/scenario.ts';
import { rowLines } from '../../sim/report/lines.ts';
import { comparisonPlot } from '../../sim/report/plots.ts';
import { seedsOf } from '../../sim/report/statistics.ts';
import { longTable, markdown, percent, wideTable } from '../../sim/report/table.ts';
import { command, type Runner } from './command.ts';
import { loadContenders } from './contenders.ts';
import { wholeIn } from './parsing.ts';
import { writePlot } from './plotfile.ts';

interface Given extends Size {
  readonly threads: number;
  readonly state: string;
  readonly out?: string;
  readonly fleet?: string;
}

interface Outcome {
  /** The seeds and the fleet, where there are any. */
  readonly of: string;
  readonly text: string;
  readonly json: string;
  readonly plot: TopLevelSpec;
  readonly checks: readonly Check[];
}

/** Where neither the user nor the preset says otherwise. */
const SEEDS = 3;

const ownSeeds = EXPERIMENTS.flatMap(({ name, seeds }) => (seeds === undefined ? [] : [`${name} ${seeds}`])).join(', ');
const names = EXPERIMENTS.map(({ name }) => name);
const program = new Command('npm run experiments --')
  .description('Run a preset of runs and hold it against what it must show.')
  .addArgument(new Argument('<name>', 'which').choices(names))
  .option('--reduced', 'the small form: fewer runs, one seed', false)
  .option('--seeds <n>', `seeds 1 to n (default: ${SEEDS}, reduced 1; ${ownSeeds}; e5 its own)`, wholeIn(1, 1000))
  .option('--fleet <name>', 'of those that the preset has, only this one')
  .option('--threads <n>', 'runs at once', wholeIn(1, 256), availableParallelism())
  .option('--state <folder>', 'keeps finished runs, so that an interrupted table goes on', '.murmuration')
  .option('--out <folder>', 'write the table, the rows and the plot there')
  .addHelpText('after', `\n${EXPERIMENTS.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}`)
  .showHelpAfterError('(--help lists the options)')
  .parse(process.argv);

const experiment = EXPERIMENTS.find(({ name }) => name === program.args[0])!;
const options = program.opts<Omit<Given, 'seeds'> & { seeds?: number }>();
const given: Given = { ...options, seeds: options.seeds ?? (options.reduced ? 1 : (experiment.seeds ?? SEEDS)) };

await command(async (runner) => {
  const outcome = await perform(experiment, runner);
  const wrong = unexpected(outcome.checks);
  const about = [experiment.about, outcome.of].filter((part) => part !== '').join(' ');
  const text = `## ${experiment.title}\n\n${about}\n\n${outcome.text}\n`;
  process.stdout.write(text);
  if (given.out !== undefined) await write(given.out, text, outcome);
  if (wrong.length > 0)
    throw new Error(`not as expected in ${experiment.name}: ${wrong.map(({ claim }) => claim).join('; ')}`);
});

async function perform(of: Experiment, runner: Runner): Promise<Outcome> {
  if (of.kind === 'exact') {
    if (given.fleet !== undefined) throw new Error(`--fleet ${given.fleet}: ${of.name} has no fleets`);
    const { markdown: table, plot, data, checks } = await of.measure(await loadContenders(), given);
    return {
      of: '',
      text: `${table}\n\n${verdicts(checks)}`,
      json: `${JSON.stringify(data, null, 1)}\n`,
      plot,
      checks,
    };
  }
  const rows = await runner(ofFleet(of.scenarios(given), given.fleet), given);
  const checks = of.checks(rows);
  const fleets = [...new Set(rows.map(({ fleet }) => fleet))];
  const tested = rows.some(({ testAccuracy }) => testAccuracy !== null);
  const wide = fleets.map((fleet) => {
    const table = wideTable(
      rows.filter((row) => row.fleet === fleet),
      (group) => percent(group.map((row) => (tested ? row.testAccuracy : row.finalAccuracy))),
    );
    return `${tested ? 'Test' : 'Validation'} accuracy, %, ${fleet} fleet:\n\n${table}`;
  });
  const tables = of.tables ? [of.tables(rows)] : [...wide, longTable(rows)];
  const text = [...tables, of.details?.(rows) ?? '', verdicts(checks)].filter((part) => part !== '').join('\n\n');
  const part = `${seedsOf(rows)}${given.fleet === undefined ? '' : `, of the fleets ${given.fleet} alone`}.`;
  return { of: part, text, json: rowLines(rows), plot: of.plot?.(rows) ?? comparisonPlot(rows), checks };
}

function ofFleet(scenarios: readonly Scenario[], name: string | undefined): readonly Scenario[] {
  if (name === undefined) return scenarios;
  const some = scenarios.filter(({ fleet }) => fleet.name === name);
  const names = [...new Set(scenarios.map(({ fleet }) => fleet.name))];
  if (some.length === 0) throw new Error(`--fleet ${name}: expected one of ${names.join(', ')}`);
  return some;
}

function verdicts(checks: readonly Check[]): string {
  if (checks.length === 0) return '';
  return markdown(
    ['claim', 'found', 'holds'],
    checks.map(({ claim, found, passed, knownMiss }) => {
      const reason = !passed && knownMiss ? ` (${knownMiss})` : '';
      return [claim, found, passed ? 'yes' : `**no**${reason}`];
    }),
  );
}

async function write(folder: string, text: string, { json, plot }: Outcome): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = (extension: string): string => join(folder, `${experiment.name}.${extension}`);
  await writeFile(path('md'), text);
  await writeFile(path('json'), json);
  await writePlot(path('svg'), plot);
}
