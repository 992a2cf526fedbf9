// Writes a plot. The drawing library is loaded only here: most tables are made without.

import { writeFile } from 'node:fs/promises';
import type { TopLevelSpec } from 'vega-lite';

export async function writePlot(path: string, spec: TopLevelSpec): Promise<void> {
  const { renderSvg } = await import('./svg.ts');
  await writeFile(path, await renderSvg(spec));
}
