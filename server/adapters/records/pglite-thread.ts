// The records' thread: PostgreSQL as WebAssembly, which computes while it answers. See pglite.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { openFolder, type OpenFolder } from './folder.ts';
import type { FromPglite, ToPglite } from './pglite.ts';

if (!parentPort) throw new Error('pglite-thread.ts is a worker thread: start it with pglite.ts');
const port = parentPort;
const { folder } = workerData as { folder: string };
let opened: OpenFolder | null = null;
const nothing = { rows: [], affected: 0, remark: null, made: false };

async function answer(message: ToPglite): Promise<FromPglite> {
  const { id } = message;
  try {
    if (message.type === 'open') {
      opened = await openFolder(folder);
      return { id, ok: true, ...nothing, remark: opened.remark, made: opened.made };
    }
    if (!opened) throw new Error('invariant violation: asked before it was opened');
    if (message.type === 'query') {
      const { rows, affectedRows = 0 } = await opened.db.query<Record<string, unknown>>(message.sql, [
        ...message.values,
      ]);
      return { id, ok: true, ...nothing, rows, affected: affectedRows };
    }
    if (message.type === 'maintain') for (const sql of ['vacuum', 'checkpoint']) await opened.db.exec(sql);
    else await opened.close();
    return { id, ok: true, ...nothing };
  } catch (error) {
    const { code } = error as { code?: unknown };
    const text = error instanceof Error ? error.message : String(error);
    return { id, ok: false, error: text, code: typeof code === 'string' ? code : null };
  }
}

let last: Promise<void> = Promise.resolve();
port.on('message', (message: ToPglite) => {
  last = last.then(async () => port.postMessage(await answer(message)));
});
