// `npm run chaos`: the same run twice, calm and while workers and the coordinator are killed at random every few seconds.
// Ends with 0 when everything that is promised held.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ensurePages } from '../../server/host/pages.ts';
import { kills } from './plan.ts';
import { pause, Scene, type Outcome, type SceneOptions } from './scene.ts';
import { report, verdict, type Fire } from './verdict.ts';

const LOOK_EVERY_MS = 500;
const PROGRESS_EVERY_MS = 15_000;
/** After the fire a run has this many times its calm time, and a minute, to end. */
const REST_FACTOR = 3;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= least)) throw new InvalidArgumentError(`Expected a number, at least ${least}.`);
    return value;
  };
}

/** Looks until the run has ended or the time is over. */
async function watch(scene: Scene, untilMs: number): Promise<Outcome | null> {
  let told = performance.now();
  for (;;) {
    const outcome = await scene.outcome();
    if (outcome && outcome.run.status !== 'running' && outcome.run.test !== null) return outcome;
    if (performance.now() > untilMs) return outcome;
    if (outcome && performance.now() - told > PROGRESS_EVERY_MS) {
      told = performance.now();
      const { samples, samplesPerEpoch, epochs, workers } = outcome.run;
      say(`  ${((100 * samples) / samplesPerEpoch / epochs).toFixed(0)} %, ${workers} workers`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** Kills by the plan until told to stop. */
async function burn(scene: Scene, plan: ReturnType<typeof kills>, going: () => boolean): Promise<Fire['kills']> {
  const count = { worker: 0, coordinator: 0 };
  const returns: Promise<void>[] = [];
  for (const kill of plan) {
    await pause(kill.afterMs);
    if (!going()) break;
    if (kill.what === 'coordinator') {
      count.coordinator += 1;
      await scene.killCoordinator();
      await scene.startCoordinator();
    } else if (scene.killWorker(kill.worker)) {
      count.worker += 1;
      returns.push(pause(kill.backAfterMs).then(() => scene.startWorker(kill.worker)));
    }
  }
  await Promise.all(returns);
  return count;
}

const options = new Command('npm run chaos --')
  .option('--minutes <n>', 'for how long to kill', atLeast(0.1), 5)
  .option('--seed <n>', 'decides what is killed when', Number, 7)
  .option('--workers <n>', 'headless workers, a process each', atLeast(1), 10)
  .option('--run <file>', 'the run', 'tools/chaos/fashion.yaml')
  .parse()
  .opts<{ minutes: number; seed: number; workers: number; run: string }>();

const folder = await mkdtemp(join(tmpdir(), 'murmuration-chaos-'));
const scene = (name: string): SceneOptions => ({ runFile: options.run, workers: options.workers, folder: join(folder, name) }); // prettier-ignore
await ensurePages(say);

say('Calm:');
const calmStartMs = performance.now();
const quiet = await Scene.open(scene('calm'));
const calm = await watch(quiet, Infinity);
await quiet.close();
const calmMs = performance.now() - calmStartMs;
if (!calm) throw new Error('invariant violation: a calm run ended without an outcome');
say(`  ended after ${Math.round(calmMs / 1000)} s with ${(100 * (calm.run.accuracy ?? 0)).toFixed(2)} %`);

say(`Under fire for ${options.minutes} minutes, seed ${options.seed}:`);
const hot = await Scene.open(scene('fire'));
await hot.assembled(); // ten processes that start at once are a load, not a fire
const startMs = performance.now();
const fireEndsMs = startMs + 60_000 * options.minutes;
let over = false;
const burning = burn(hot, kills(options.seed, options.workers), () => !over && performance.now() < fireEndsMs);
const under = await watch(hot, fireEndsMs + 60_000 + REST_FACTOR * calmMs);
over = true;
const killed = await burning;
if (!under) {
  await hot.close();
  throw new Error('the coordinator did not answer at the end');
}
const [, ...startsMs] = hot.startsMs;
const seconds = (Math.min(performance.now(), fireEndsMs) - startMs) / 1000;
const bans = await hot.bans(under.run.id);
const accidents = [...quiet.accidents, ...hot.accidents];
await hot.close();

const claims = verdict(calm, under, { kills: killed, startsMs, accidents, bans, seconds });
process.stdout.write(`${report(claims, under)}\n`);
await rm(folder, { recursive: true, force: true });
process.exit(claims.every(({ holds }) => holds) ? 0 : 1);
