// The table of methods in the documentation is the registry's.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { PAGE, pageWithTable } from '../../tools/methods-table.ts';

it('[A9] docs/ALGORITHMS.md has a row a method, as its file says (npm run docs makes it again)', async () => {
  const page = await readFile(PAGE, 'utf8');
  expect(page).toBe(await pageWithTable());
  expect(page).toContain('| `gap-aware` |');
});
