// What the coordinator names in short, in words for a person. Names it does not know are shown as they are.

import type { DatasetName } from '../../shared/data/catalogue.ts';
import type { ModelName } from '../../shared/model/spec.ts';
import type { Backend } from '../../shared/protocol/messages.ts';
import type { RunStatus, RunSummary, WorkerState } from '../../shared/protocol/snapshots.ts';

interface DatasetWords {
  readonly title: string;
  /** Ends the sentence "a network that learns to recognise …". */
  readonly subject: string;
}

const DATASETS: Record<DatasetName, DatasetWords> = {
  digits: { title: 'Drawn digits', subject: 'digits drawn by a program in many hands' },
  'fashion-mnist': { title: 'Fashion-MNIST', subject: 'small grey pictures of clothes' },
  mnist: { title: 'MNIST', subject: 'handwritten digits' },
  cifar10: { title: 'CIFAR-10', subject: 'small colour photographs of ten kinds of things' },
  'cifar10-first4000': { title: 'CIFAR-10, first 4,000', subject: 'small colour photographs of ten kinds of things' },
};

const MODELS: Record<ModelName, string> = {
  softmax: 'Linear softmax classifier',
  mlp: 'Multilayer perceptron',
  'ln-mlp': 'Multilayer perceptron with layer norm',
  cnn: 'Convolutional network',
};

const BACKEND_TITLES: Record<Backend, string> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'Plain JavaScript',
  other: 'Other',
};

const STATUS: Record<RunStatus, string> = {
  running: 'Running',
  paused: 'Paused',
  finished: 'Finished',
  stopped: 'Stopped',
};

const WORKER_STATES: Record<WorkerState, string> = {
  training: 'Training',
  paused: 'Paused',
  waiting: 'Waiting',
  hidden: 'Hidden tab',
  asleep: 'Asleep',
  gone: 'Gone',
};

const find = <T>(table: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

export const datasetTitle = (name: string): string => find(DATASETS, name)?.title ?? name;
export const datasetSubject = (name: string): string =>
  find(DATASETS, name)?.subject ?? `what is in the pictures of ${name}`;
export const modelTitle = (name: string): string => find(MODELS, name) ?? name;
export const backendTitle = (name: Backend): string => BACKEND_TITLES[name];
export const statusTitle = (status: RunStatus): string => STATUS[status];
export const workerStateTitle = (state: WorkerState): string => WORKER_STATES[state];

/** Of the whole run, from 0 to 1. */
export function progressOf(run: RunSummary): number {
  const total = run.samplesPerEpoch * run.epochs;
  return total > 0 ? Math.min(1, run.samples / total) : 0;
}

/** "Epoch 3 of 10": as people count. */
export function epochText(run: RunSummary): string {
  return `Epoch ${Math.min(run.epoch + 1, run.epochs)} of ${run.epochs}`;
}
