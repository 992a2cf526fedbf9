// A worker thread that simulates one scenario after another. See runner.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from '../../sim/simulator.ts';
import { ProblemShelf } from './data.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { loadContenders } from './contenders.ts';

if (!parentPort) throw new Error('thread.ts is a worker thread: start it with runner.ts');
const port = parentPort;
const say = (message: FromThread): void => port.postMessage(message);
const shelf = new ProblemShelf((workerData as ThreadData).dataDir);
const methods = loadContenders();

async function run({ index, scenario }: ToThread): Promise<void> {
  try {
    const problem = await shelf.problem(scenario.problem);
    const onProgress = (share: number): void => say({ type: 'progress', index, share });
    say({ type: 'done', index, row: await simulate(scenario, { methods: await methods, problem, onProgress }) });
  } catch (error) {
    say({ type: 'failed', index, error: error instanceof Error ? error.message : String(error) });
  }
}

port.on('message', (message: ToThread) => void run(message));
