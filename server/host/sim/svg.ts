// Draws a Vega-Lite specification as SVG text, without a browser: the same specification gives the same bytes.

import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    vega.resetSVGDefIds(); // ids are counted over all drawings of a process
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
