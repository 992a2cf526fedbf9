// The self-test's references: made by the cpu backend, and right, as finite differences of the loss confirm.
// To write them anew: WRITE_REFERENCES=1 npx vitest run test/nn/references.test.ts (then again without)

import { writeFileSync } from 'node:fs';
import '@tensorflow/tfjs'; // registers the cpu backend
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import references from '../../shared/nn/references.json' with { type: 'json' };
import { CHECK_NAMES, knownProblem, type CheckName, type Reference } from '../../shared/nn/selftest.ts';
import { differenceQuotients, relativeError } from './compare.ts';

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
  if (!process.env.WRITE_REFERENCES) return;
  const measured: Partial<Record<CheckName, Reference>> = {};
  for (const name of CHECK_NAMES) measured[name] = await measure(name);
  writeFileSync(new URL('../../shared/nn/references.json', import.meta.url), JSON.stringify(measured));
});

async function measure(name: CheckName): Promise<Reference> {
  const { network, theta, batch } = knownProblem(name);
  const gradient = new Float32Array(theta.length);
  const { loss } = await network.gradient(theta, batch, gradient);
  const rounded = (value: number): number => Number(value.toPrecision(8));
  return { loss: rounded(loss), gradient: [...gradient].map(rounded) };
}

test.each(CHECK_NAMES)('the reference of %s is what the cpu backend computes', async (name) => {
  const { loss, gradient } = await measure(name);
  expect(Math.abs(loss - references[name].loss)).toBeLessThan(1e-6);
  expect(relativeError(gradient, references[name].gradient)).toBeLessThan(1e-6);
});

test.each(CHECK_NAMES)('the reference of %s agrees with finite differences of the loss', async (name) => {
  const { network, theta, batch } = knownProblem(name);
  const quotients = await differenceQuotients(network, theta, batch);
  expect(relativeError(references[name].gradient, quotients)).toBeLessThan(5e-3);
});
