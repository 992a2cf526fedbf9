// A live run, recorded, and played again: the same events at the same times leave the same bits.

import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startVolunteers } from '../../client/headless/volunteers.ts';
import { readRecording, setAside, type Recorded } from '../../server/adapters/recorder.ts';
import { rerun } from '../../server/host/rerun.ts';
import { loadMethods } from '../../server/registry.ts';
import { asRunId } from '../../shared/ids.ts';
import { digitsRun, start } from './harness.ts';

const run = asRunId('digits');
let folder: string;
let records: Recorded[];
let live: { theta: Float32Array; version: number; accuracy: number | null };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmuration-recording-'));
  const record = join(folder, 'events.log');
  const yaml =
    'method: { name: gap-aware, learningRate: 0.01 }\nepochs: 2\ncodec: { params: f16, push: f16 }\ndefences: {}';
  const coordinator = await start([digitsRun(yaml)], { record });
  const end = await startVolunteers({ url: coordinator.url, count: 3, backend: 'wasm', slowdown: [1, 1, 3] }).done;
  if (!end.ok) throw new Error(end.reason ?? 'the volunteers failed');
  await vi.waitUntil(() => coordinator.loop.summary(run).test !== null, { timeout: 60_000 });
  const { version, accuracy } = coordinator.loop.summary(run);
  live = { theta: coordinator.loop.params(run).slice(), version, accuracy };
  await coordinator.close();
  records = await readRecording(record);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a recorded run', () => {
  it('[D1] learned in half precision, every sample counted once', () => {
    expect(live.accuracy).toBeGreaterThan(0.6);
    expect(records.filter(({ event }) => event.type === 'push').length).toBeGreaterThanOrEqual(live.version);
  });

  it('[T5] replays to the same bits, twice', async () => {
    const methods = await loadMethods();
    const [first, second] = [rerun(records, methods), rerun(records, methods)];
    expect(first.summary(run, 0)).toMatchObject({ version: live.version, samples: 24_000, status: 'finished' });
    expect(Buffer.from(first.params(run).buffer).equals(Buffer.from(live.theta.buffer))).toBe(true);
    expect(Buffer.from(second.params(run).buffer).equals(Buffer.from(live.theta.buffer))).toBe(true);
  });

  it('is kept when another is begun in its place', async () => {
    const path = join(folder, 'again.log');
    expect(await setAside(path)).toBeNull();
    for (const text of ['first', 'second']) {
      await writeFile(path, text);
      await setAside(path);
    }
    expect(await readFile(`${path}.1`, 'utf8')).toBe('first');
    expect(await readFile(`${path}.2`, 'utf8')).toBe('second');
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });

  it('leaves out a last record that was cut short', async () => {
    const path = join(folder, 'events.log');
    await truncate(path, (await stat(path)).size - 3);
    expect(await readRecording(path)).toHaveLength(records.length - 1);
  });
});
