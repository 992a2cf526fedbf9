// `npm run sim`: compares methods under a simulated fleet. Prints a Markdown table; progress goes to the standard error.

import { writeFile } from 'node:fs/promises';
import { longTable } from '../../sim/report/table.ts';
import { comparisonPlot } from '../../sim/report/plots.ts';
import { rowLines } from '../../sim/report/lines.ts';
import { loadContenders } from './contenders.ts';
import { describe } from './describe.ts';
import { fleetName } from './fleet.ts';
import { readSimOptions } from './options.ts';
import { planScenarios } from './plan.ts';
import { command } from './command.ts';
import { writePlot } from './plotfile.ts';

const options = readSimOptions(process.argv.slice(2));

await command(async (runner) => {
  const scenarios = planScenarios(options, await loadContenders());
  const rows = await runner(scenarios, options);
  process.stdout.write(`${describe(options, scenarios)}\n\n${longTable(rows)}\n`);
  if (options.json !== undefined) await writeFile(options.json, rowLines(rows));
  if (options.plot !== undefined) {
    await writePlot(options.plot, { title: `fleet: ${fleetName(options)}`, ...comparisonPlot(rows) });
  }
});
