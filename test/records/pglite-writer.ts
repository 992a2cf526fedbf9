// A process of its own that writes events into the folder it is given until it is killed, and says what is safe.

import { pgliteIn } from '../../server/adapters/records/pglite.ts';
import { Connection } from '../../server/adapters/records/connection.ts';
import { openRun, writeBatch } from '../../server/adapters/records/write.ts';

const NOTES = 25;
const writer = process.pid;
const { db } = await Connection.open(pgliteIn(process.argv[2]!), new AbortController().signal);
const run = await openRun(db, { run: 'killed', resumed: true, number: 1, atMs: Date.now() });
const { last } = await db
  .selectFrom('events')
  .select((eb) => eb.fn.coalesce(eb.fn.max('id'), eb.lit(0)).as('last'))
  .executeTakeFirstOrThrow();
process.stdout.write(`begin ${last}\n`);
for (let batch = 1, id = Number(last); ; batch++) {
  const at = new Date().toISOString();
  const notes = Array.from({ length: NOTES }, () => ({
    ...{ run: 'killed', atMs: 0 },
    row: { id: ++id, at, kind: 'joined' as const, worker: null, text: 'x'.repeat(200) },
  }));
  await writeBatch(db, { runs: [], workers: [], notes, points: [] }, { mark: { writer, batch, atMs: Date.now() }, numberOf: () => run }); // prettier-ignore
  process.stdout.write(`safe ${id}\n`);
}
