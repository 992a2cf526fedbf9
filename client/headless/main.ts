// `npm run volunteer`: headless volunteers on this machine, until their run ends or they are interrupted.

import { volunteerCommand, type CommandOptions } from './options.ts';
import { summaryLine } from './summary.ts';
import { startVolunteers } from './volunteers.ts';

const SUMMARY_EVERY_MS = 5_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const options = volunteerCommand().parse().opts<CommandOptions>();
const volunteers = startVolunteers({ ...options, log: print });
const startMs = performance.now();
const summary = (): void => print(summaryLine(volunteers.stats(), performance.now() - startMs));
const timer = setInterval(summary, SUMMARY_EVERY_MS);

let interrupted = false;
function leave(): void {
  if (interrupted) process.exit(130);
  interrupted = true;
  print('Leaving; interrupt again to leave at once.');
  void volunteers.stop();
}
process.on('SIGINT', leave);
process.on('SIGTERM', leave);

const { ok, reason } = await volunteers.done;
clearInterval(timer);
summary();
if (!ok) process.stderr.write(`error: ${reason}\n`);
process.exit(ok ? 0 : 1);
