// The records in a PostgreSQL server. Skipped where none is found: TEST_DATABASE_URL says where to look.

import { describe } from 'vitest';
import { openPostgres } from '../../server/adapters/records/postgres.ts';
import { recordsContract } from './contract.ts';
import { postgresDatabase, postgresIsHere } from './places.ts';

describe.skipIf(!postgresIsHere)('records in PostgreSQL (needs a server: TEST_DATABASE_URL)', () => {
  recordsContract(async () => {
    const { url, drop } = await postgresDatabase();
    return { openLink: (signal) => openPostgres(url, signal), end: drop };
  });
});
