// A coordinator in a process of its own for the step bench: endless runs of about 110,000 parameters on digits.

import pino from 'pino';
import { parseRunFile } from '../../server/host/runfile.ts';
import { startCoordinator } from '../../server/host/start.ts';

const [pages = ''] = process.argv.slice(2);
const runs = [
  ['ln-mlp-f32', 'ln-mlp', 'f32'],
  ['ln-mlp-f16', 'ln-mlp', 'f16'],
  ['cnn-f32', 'cnn', 'f32'],
].map(([id, model, codec]) =>
  parseRunFile(
    `{ id: ${id}, name: Bench, dataset: digits, model: { name: ${model} }, epochs: 10000, evaluateEveryVersions: 1000000,
       codec: { params: ${codec}, push: ${codec} }, method: { name: gap-aware, learningRate: 0.001 } }`,
    'bench',
  ),
);
const { url } = await startCoordinator({
  ...{ runs, port: 0, host: '127.0.0.1', dataDir: 'data', adminToken: 'bench', record: null, pages },
  log: pino({ level: 'warn' }),
});
process.send!(url);
process.on('disconnect', () => process.exit(0));
