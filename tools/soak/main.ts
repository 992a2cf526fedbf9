// `npm run soak`: the long forms of the tests, then a run with workers that are killed and come back for as long as is asked.
// Ends with 0 when everything that is promised held.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { ensurePages } from '../../server/host/pages.ts';
import { kills } from '../chaos/plan.ts';
import { pause, Scene } from '../chaos/scene.ts';
import { megabytes, report, verdict, type Look } from './verdict.ts';

const LOOK_EVERY_MS = 2_000;
/** Between two kills of workers. */
const PAUSE_MS = { least: 500, most: 2_000 };
/** A full collection stops the coordinator for a moment. */
const COLLECT_EVERY_LOOKS = 15;
/** Long forms: the same tests, with the figures of the promises. */
const LONG_TESTS = [
  'test/durable/kill.test.ts',
  'test/browser/memory.test.ts',
  'test/proxy/storm.test.ts',
  'test/proxy/hostile.test.ts',
  'test/proxy/slow-reader.test.ts',
];
const LONG_FORMS = {
  ...{ KILLS: '50', MEMORY_STEPS: '10000', STORM_CLIENTS: '2000', FUZZ_FRAMES: '100000' },
  ...{ SLOW_READER_TURNS: '20' },
};
/** Drawn by the coordinator, small, and longer than any soak. */
const RUN = `id: soak
name: Soak
dataset: digits
model: { name: mlp, hidden: [32] }
method: { name: gap-aware, learningRate: 0.02, momentum: 0.9 }
batchSize: 32
epochs: 10000
evaluateEveryVersions: 2000
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** A figure of the Prometheus page; NaN when it is not there. */
function figure(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

async function look(scene: Scene, startMs: number, collect: boolean): Promise<Look | null> {
  const outcome = await scene.outcome();
  const response = await fetch(`${scene.url}/metrics`, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
  if (!outcome || !response?.ok) return null;
  const text = await response.text();
  return {
    seconds: (performance.now() - startMs) / 1000,
    version: outcome.run.version,
    live: collect ? await scene.liveBytes() : null,
    residentBytes: figure(text, 'murmuration_process_resident_memory_bytes'),
  };
}

async function churn(scene: Scene, plan: ReturnType<typeof kills>, going: () => boolean): Promise<number> {
  let count = 0;
  for (const kill of plan) {
    if (kill.what === 'coordinator') continue;
    await pause(kill.afterMs);
    if (!going()) return count;
    if (!scene.killWorker(kill.worker)) continue;
    count += 1;
    void pause(kill.backAfterMs).then(() => (going() ? scene.startWorker(kill.worker) : undefined));
  }
  return count;
}

function longTests(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('npx', ['vitest', 'run', '--no-file-parallelism', ...LONG_TESTS], {
      env: { ...process.env, ...LONG_FORMS },
      stdio: 'inherit',
    });
    child.once('close', (code) => resolve(code === 0));
  });
}

const options = new Command('npm run soak --')
  .option('--minutes <n>', 'for how long workers come and go', positive, 30)
  .option('--seed <n>', 'decides who is killed when', Number, 7)
  .option('--workers <n>', 'headless workers, a process each', positive, 10)
  .option('--no-tests', 'without the long forms of the tests before')
  .parse()
  .opts<{ minutes: number; seed: number; workers: number; tests: boolean }>();

const passed = !options.tests || (await longTests());
const folder = await mkdtemp(join(tmpdir(), 'murmuration-soak-'));
const runFile = join(folder, 'soak.yaml');
await writeFile(runFile, RUN);
await ensurePages(say);
const scene = await Scene.open({ runFile, workers: options.workers, folder, watched: true });
await scene.assembled();
const startMs = performance.now();
const going = (): boolean => performance.now() < startMs + 60_000 * options.minutes;
const killing = churn(scene, kills(options.seed, options.workers, PAUSE_MS), going);
const looks: Look[] = [];
let missed = 0;
while (going()) {
  await pause(LOOK_EVERY_MS);
  const collect = looks.length % COLLECT_EVERY_LOOKS === 0;
  const seen = await look(scene, startMs, collect);
  if (seen) looks.push(seen);
  else missed += 1;
  if (seen?.live) say(`  ${Math.round(seen.seconds)} s: version ${seen.version}, objects ${megabytes(seen.live.objects)}, code ${megabytes(seen.live.code)}, buffers ${megabytes(seen.live.buffers)}`); // prettier-ignore
}
const killed = await killing;
const bans = (await scene.bans('soak')).map(({ worker, text }) => `${worker} banned: ${text}`);
await scene.close();
const unanswered = missed > 0 ? [`${missed} times no answer`] : [];
const claims = verdict(looks, killed, [...new Set([...bans, ...scene.accidents]), ...unanswered]);
process.stdout.write(`${report(claims)}\n`);
await rm(folder, { recursive: true, force: true });
process.exit(passed && claims.every(({ holds }) => holds) ? 0 : 1);
