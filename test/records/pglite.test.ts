// The records in a folder, by PGlite.

import { describe } from 'vitest';
import { join } from 'node:path';
import { pgliteIn } from '../../server/adapters/records/pglite.ts';
import { recordsContract } from './contract.ts';
import { pgliteFolder } from './places.ts';

describe('records in PGlite', () => {
  recordsContract(async () => {
    const { path, remove } = await pgliteFolder();
    return { openLink: pgliteIn(join(path, 'records')), end: remove };
  });
});
