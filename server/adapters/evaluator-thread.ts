// The evaluation thread: TensorFlow.js on wasm, and the held-out samples of each run. See evaluator.ts.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { Network } from '../../shared/nn/network.ts';
import { useWasm } from '../../shared/nn/wasm.ts';
import type { EvaluatorSubject, FromEvaluator, ToEvaluator } from './evaluator.ts';

/** Large enough that the overhead of a call does not show, small enough for a convolution's intermediates. */
const BATCH = 500;

if (!parentPort) throw new Error('evaluator-thread.ts is a worker thread: start it with evaluator.ts');
const port = parentPort;
const subjects = new Map<string, { subject: EvaluatorSubject; network: Network }>();
const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'));
const ready = useWasm(`${wasmFolder}/dist/`, process);

async function answer(message: Extract<ToEvaluator, { type: 'evaluate' }>): Promise<FromEvaluator> {
  const { id, run, split, theta } = message;
  try {
    await ready;
    const found = subjects.get(run);
    if (!found) throw new Error(`the evaluation thread does not know the run "${run}"`);
    const figures = await found.network.evaluate(theta, found.subject.splits[split], BATCH);
    return { id, ok: true, ...figures };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

port.on('message', (message: ToEvaluator) => {
  if (message.type === 'evaluate') return void answer(message).then((reply) => port.postMessage(reply));
  const { subject } = message;
  const { model, layout, scale } = subject;
  subjects.set(subject.run, { subject, network: new Network({ model, layout, scale }) });
});
