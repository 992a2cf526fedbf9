// The evaluation thread: TensorFlow.js on wasm, and the held-out samples of each run. See evaluator.ts.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { decodeShard } from '../../shared/data/shard.ts';
import type { Samples } from '../../shared/data/spec.ts';
import { Network } from '../../shared/nn/network.ts';
import { Trainer } from '../../shared/nn/trainer.ts';
import { useWasm } from '../../shared/nn/wasm.ts';
import type { Vec } from '../../shared/vec.ts';
import { compare, type Comparison } from '../core/defence/verdict.ts';
import type { Check, EvaluatorSubject, FromEvaluator, Question, ToEvaluator } from './evaluator/messages.ts';

/** Large enough that the overhead of a call does not show, small enough for a convolution's intermediates. */
const BATCH = 500;
/**
 * Held-out samples of the trusted gradient: its own noise is then a third of that of a batch of 64, and it costs as much as
 * eight of these.
 */
const TRUSTED_SAMPLES = 500;

if (!parentPort) throw new Error('evaluator-thread.ts is a worker thread: start it with evaluator.ts');
const port = parentPort;
const subjects = new Map<string, { subject: EvaluatorSubject; network: Network }>();
const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'));
const ready = useWasm(`${wasmFolder}/dist/`, process);

async function answer(question: Question): Promise<FromEvaluator> {
  const { id, run } = question;
  try {
    await ready;
    const found = subjects.get(run);
    if (!found) throw new Error(`the evaluation thread does not know the run "${run}"`);
    const { subject, network } = found;
    switch (question.type) {
      case 'evaluate':
        return { id, ok: true, answer: await network.evaluate(question.theta, subject.splits[question.split], BATCH) };
      case 'trust':
        return { id, ok: true, answer: await trusted(network, question.theta, subject.splits.validation) };
      case 'recompute':
        return { id, ok: true, answer: await recomputed(subject, question) };
      default:
        return question satisfies never;
    }
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function trusted(network: Network, theta: Vec, { count, features, labels }: Samples): Promise<Vec> {
  const gradient = new Float32Array(theta.length);
  await network.gradient(theta, { count: Math.min(count, TRUSTED_SAMPLES), features, labels }, gradient);
  return gradient;
}

/** With a trainer of its own: nothing is left from another lease. */
async function recomputed(subject: EvaluatorSubject, check: Check): Promise<Comparison | null> {
  const { lease, params, pushed, pushedLoss, codec, shards } = check;
  const { work, batches } = lease;
  const samples = new Map([...shards].map(([index, bytes]) => [index, decodeShard(bytes)]));
  const trainer = new Trainer(subject);
  const { vector, loss } = await trainer.compute({ work, batches, theta: params }, (index) => samples.get(index)!);
  return compare(pushed, vector, { work, codec, loss, pushedLoss });
}

port.on('message', (message: ToEvaluator) => {
  if (message.type === 'subject') {
    const { subject } = message;
    const { model, layout, scale } = subject;
    subjects.set(subject.run, { subject, network: new Network({ model, layout, scale }) });
    return;
  }
  void answer(message).then((reply) => port.postMessage(reply));
});
