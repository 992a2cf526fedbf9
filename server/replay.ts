// `npm run --silent replay -- trace.json`, or `-- --log events.log`: prints what the aggregation code makes of it.

import { Command } from 'commander';
import { replayLog, replayTrace } from './host/replay.ts';

const program = new Command('npm run --silent replay --')
  .description('Play explicit events, or the recorded log of a live run, into the real aggregation code; prints JSON.')
  .argument('[trace]', 'a JSON file: { "method": {…}, "params": […], "events": […] }')
  .option('--log <file>', 'a log written by npm start -- --record')
  .showHelpAfterError('(--help says what it takes)')
  .parse();
const [trace] = program.args;
const { log } = program.opts<{ log?: string }>();

try {
  if ((trace === undefined) === (log === undefined)) throw new Error('expected one trace file, or --log and a file');
  const result = trace === undefined ? await replayLog(log!) : await replayTrace(trace);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
