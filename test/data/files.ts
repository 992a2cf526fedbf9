// Writes small files in the published formats, and a temporary data folder to put them in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Where real data lies, if it lies anywhere. */
export const DATA_DIR = process.env['DATA_DIR'] ?? '../shared/data';

function idx(dims: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dims.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + dims.length);
  dims.forEach((dim, i) => view.setUint32(4 + 4 * i, dim));
  bytes.set(data, 4 + 4 * dims.length);
  return bytes;
}

export const idxImages = (dims: readonly [number, number, number], pixels: Uint8Array): Uint8Array => idx(dims, pixels);

export const idxLabels = (labels: Uint8Array): Uint8Array => idx([labels.length], labels);

/** Records whose label is `label(i)` and whose byte k of 3,072 is (i + k) mod 251. */
export function cifarRecords(count: number, label: (i: number) => number): Uint8Array {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    bytes[i * 3073] = label(i);
    for (let k = 0; k < 3072; k++) bytes[i * 3073 + 1 + k] = (i + k) % 251;
  }
  return bytes;
}

/** A folder that holds the named files until the test ends. */
export function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'murmuration-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}
