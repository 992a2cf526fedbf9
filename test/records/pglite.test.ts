// The records in a folder, by PGlite: the contract, kills, and folders that cannot be read.

import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../server/adapters/records/connection.ts';
import { pgliteIn } from '../../server/adapters/records/pglite.ts';
import { recordsContract } from './contract.ts';
import { NEVER, pgliteFolder, type TestFolder } from './places.ts';

describe('records in PGlite', () => {
  recordsContract(async () => {
    const { path, remove } = await pgliteFolder();
    return { openLink: pgliteIn(join(path, 'records')), end: remove };
  });
});

describe('the folder', () => {
  let folder: TestFolder;
  let records: string;
  beforeAll(async () => {
    folder = await pgliteFolder();
    records = join(folder.path, 'records');
  }, 180_000);
  afterAll(() => folder.remove());

  /** Runs a writer and kills it after so many batches. Resolves to what it found and what it had said to be safe. */
  async function killed(batches: number): Promise<{ found: number; safe: number }> {
    const writer = spawn(process.execPath, ['--import', 'tsx', 'test/records/pglite-writer.ts', records]);
    let found = -1;
    let safe = 0;
    let said = '';
    writer.stderr.on('data', (data: Buffer) => (said += data.toString()));
    for await (const line of createInterface(writer.stdout)) {
      const [word, id] = line.split(' ');
      if (word === 'begin') found = Number(id);
      else safe = Number(id);
      if (safe > 0 && batches-- === 0) writer.kill('SIGKILL');
    }
    if (found < 0) throw new Error(`the writer did not begin: ${said}`);
    return { found, safe };
  }

  it('[M12] is whole after each of ten kills amid writing, with all that was written', async () => {
    let before = 0;
    for (const batches of [0, 3, 7, 1, 12, 5, 0, 9, 2, 17]) {
      const { found, safe } = await killed(batches);
      expect(found).toBeGreaterThanOrEqual(before);
      expect(safe).toBeGreaterThan(found);
      before = safe;
    }
    const { db, link, remark } = await Connection.open(pgliteIn(records), NEVER);
    expect(remark).toBeNull();
    const { rows } = await link.query('select count(*) as count, max(id) as last from murmuration.events', []);
    expect(Number(rows[0]!['last'])).toBeGreaterThanOrEqual(before);
    expect(rows[0]!['count']).toBe(rows[0]!['last']);
    await db.destroy();
    await link.close();
  }, 400_000);

  it.each<[string, () => void]>([
    ['without its beginning', () => rmSync(join(records, 'PG_VERSION'))],
    ['with a torn log', () => tear('pg_wal')],
  ])(
    '[M12] [I10] that is %s is set aside, and new records begin; why is for the log alone',
    async (_what, spoil) => {
      spoil();
      const { link, remark } = await Connection.open(pgliteIn(records), NEVER);
      expect(remark!.text).toMatch(/cannot be read: they are set aside as records\.broken-/);
      expect(remark!.cause).not.toBe('');
      expect(remark!.text).not.toContain(remark!.cause);
      const { rows } = await link.query('select count(*) as count from murmuration.events', []);
      expect(rows).toEqual([{ count: 0 }]);
      await link.close();
      const aside = readdirSync(folder.path).filter((name) => name.startsWith('records.broken-'));
      expect(existsSync(join(folder.path, aside.at(-1)!, 'base'))).toBe(true);
    },
    400_000,
  );

  const tear = (part: string): void => {
    for (const name of readdirSync(join(records, part)).filter((file) => /^0/.test(file))) {
      truncateSync(join(records, part, name), 1000);
      appendFileSync(join(records, part, name), 'torn');
    }
  };
});
