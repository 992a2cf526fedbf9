// What a tab computes on its GPU, computed again by the coordinator in wasm: the same within the tolerance of spot checks,
// on every model and as it travels. Here the GPU is SwiftShader's.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { contribute, until } from './tabs.ts';

const CHECKS = 15;
const EVERY_PUSH = 'epochs: 10000\nbatchSize: 8\ndefences: { spotChecks: { newcomer: 1, least: 1 } }';

let browser: PlainBrowser;
beforeAll(async () => {
  browser = await plainBrowser();
}, PATIENCE_MS);
afterAll(() => browser?.close());

describe('[G6] [P23] an honest tab whose every push is computed again', () => {
  it.each([
    ['webgpu', 'ln-mlp', 'f32'],
    ['webgpu', 'ln-mlp', 'f16'],
    ['webgpu', 'cnn', 'f32'],
    ['webgl', 'mlp', 'f32'],
  ])('on %s, %s, %s: differs in no check', { timeout: 3 * PATIENCE_MS }, async (backend, model, codec) => {
    const run = digitsRun(`${EVERY_PUSH}\nmodel: { name: ${model} }\ncodec: { params: ${codec}, push: ${codec} }`);
    const coordinator = await start([run]);
    const { tab, row } = await contribute(browser, coordinator, `?backend=${backend}`);
    await until(() => row().standing.checked, 2 * PATIENCE_MS).toBeGreaterThan(CHECKS);
    expect(row()).toMatchObject({ backend, standing: { failed: 0, banned: null } });
    await tab.close();
    await coordinator.close();
  });
});
