// Rows as JSON, one a line, so that two tables can be compared with a text tool.

import type { RunRow } from '../row.ts';

export const rowLines = (rows: readonly RunRow[]): string =>
  `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
