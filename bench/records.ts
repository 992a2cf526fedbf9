// What the records cost without a database server: `node --import tsx bench/records.ts` makes a folder, opens it, writes to
// it, and prints the times and the memory of each.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../server/adapters/records/connection.ts';
import { pgliteIn } from '../server/adapters/records/pglite.ts';
import { openRun, writeBatch } from '../server/adapters/records/write.ts';

const BATCHES = 10;
const ROWS = 500;
const point = {
  ...{
    timeMs: 0,
    version: 1,
    samples: 64,
    trainLoss: 0.5,
    validationLoss: null,
    accuracy: null,
    lagMean: 1,
    gapMean: 1,
  },
  ...{ updatesPerSecond: 1, samplesPerSecond: 64, workers: 3 },
};

const megabytes = (): number => Math.round(process.memoryUsage().rss / 1e6);
async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [startMs, before, cpu] = [performance.now(), megabytes(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
  console.log(
    `${what}: ${seconds} s, ${((user + system) / 1e6).toFixed(2)} s of processor, ${megabytes() - before} MB more`,
  );
  return result;
}

const folder = await mkdtemp(join(tmpdir(), 'murmuration-bench-'));
const open = (): Promise<Connection> =>
  Connection.open(pgliteIn(join(folder, 'records')), new AbortController().signal);
await (await measured('making the folder', open)).link.close();
const { db, link } = await measured('opening it', open);
const run = await openRun(db, { run: 'bench', resumed: false, number: 1, atMs: 0 });
await measured(`${BATCHES} batches of ${ROWS} points`, async () => {
  for (let batch = 1; batch <= BATCHES; batch++) {
    const points = Array.from({ length: ROWS }, (_, i) => ({ run: 'bench', atMs: ROWS * batch + i, row: point }));
    const mark = { writer: 1, batch, atMs: 0 };
    await writeBatch(db, { runs: [], workers: [], notes: [], points }, { mark, numberOf: () => run });
  }
});
await measured('closing it', () => link.close());
await rm(folder, { recursive: true });
