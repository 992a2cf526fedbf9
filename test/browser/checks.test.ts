// What a tab computes on its GPU, computed again by the coordinator in wasm: the same within the tolerance of spot checks,
// on every model and as it travels. Here the GPU is SwiftShader's. Long form: `CHECKS=1000` prints how far honest work is off.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../server/adapters/recorder.ts';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { contribute, until } from './tabs.ts';

const CHECKS = Number(process.env['CHECKS'] ?? 15);
const EVERY_PUSH = 'epochs: 10000\nbatchSize: 8\ndefences: { spotChecks: { newcomer: 1, least: 1 } }';

const LONG_MS = 1_000 * CHECKS;

let browser: PlainBrowser;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmuration-checks-'));
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** How far what was pushed was off what was computed again, for every check, in ascending order. */
async function distances(log: string): Promise<number[]> {
  const events = (await readRecording(log)).map(({ event }) => event);
  return events.flatMap((event) => (event.type === 'recomputed' ? [event.distance] : [])).sort((a, b) => a - b);
}

function spread(sorted: readonly number[]): string {
  const at = (part: number): string => sorted[Math.floor(part * (sorted.length - 1))]!.toExponential(1);
  return `${sorted.length} checks, off by ${at(0.5)} in the median, ${at(0.999)} in all but one of a thousand, ${at(1)} at most`;
}

describe('[G6] [P23] an honest tab whose every push is computed again', () => {
  it.each([
    ['webgpu', 'ln-mlp', 'f32'],
    ['webgpu', 'ln-mlp', 'f16'],
    ['webgpu', 'cnn', 'f32'],
    ['webgl', 'mlp', 'f32'],
    ['webgl', 'mlp', 'f16'],
    ['cpu', 'mlp', 'f32'],
  ])('on %s, %s, %s: differs in no check', { timeout: LONG_MS + 3 * PATIENCE_MS }, async (backend, model, codec) => {
    const run = digitsRun(`${EVERY_PUSH}\nmodel: { name: ${model} }\ncodec: { params: ${codec}, push: ${codec} }`);
    const log = join(folder, `${backend}-${model}-${codec}.log`);
    const coordinator = await start([run], { record: log });
    const { tab, row } = await contribute(browser, coordinator, `?backend=${backend}`);
    await until(() => row().standing.checked, LONG_MS + 2 * PATIENCE_MS).toBeGreaterThan(CHECKS);
    expect(row()).toMatchObject({ backend, standing: { failed: 0, banned: null } });
    await tab.close();
    await coordinator.close();
    const off = await distances(log);
    expect(off.length).toBeGreaterThan(CHECKS);
    if (process.env['CHECKS']) process.stderr.write(`${backend}, ${model}, ${codec}: ${spread(off)}\n`);
  });
});
