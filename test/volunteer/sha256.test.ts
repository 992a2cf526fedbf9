// The portable SHA-256 gives what Node's gives, at every length around a block.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { rng } from '../../shared/rng.ts';
import { sha256Hex } from '../../shared/sha256.ts';

const nodeHex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it('[V24] hashes as FIPS 180-4 says: its published example', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(sha256Hex(new TextEncoder().encode('abc'))).toBe(abc);
});

it('[V24] agrees with the host at every length up to three blocks, at any offset in memory', () => {
  const random = rng('sha256');
  const bytes = new Uint8Array(200).map(() => random.below(256));
  for (let length = 0; length <= 193; length++) {
    const view = bytes.subarray(length % 7, (length % 7) + length);
    expect(sha256Hex(view)).toBe(nodeHex(view));
  }
});

it('[V24] agrees with the host over a megabyte', () => {
  const bytes = new Uint8Array(2 ** 20 + 13).map((_, i) => (i * 2_654_435_761) >>> 24);
  expect(sha256Hex(bytes)).toBe(nodeHex(bytes));
});
