// The checksum against Node's own.

import { crc32 as nodeCrc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32 } from '../../shared/protocol/crc32.ts';
import fc from '../property.ts';

it('[W3] the checksum of nothing is 0, and of "123456789" the published check value', () => {
  expect(crc32(new Uint8Array(0))).toBe(0);
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

it('[W3] equals zlib for every length and offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(9), (bytes, offset) => {
      const part = bytes.subarray(Math.min(offset, bytes.length));
      expect(crc32(part)).toBe(nodeCrc32(part) >>> 0);
    }),
    { numRuns: 500 },
  );
});

it('[W3] equals zlib on a megabyte', () => {
  const bytes = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 2654435761) >>> 13);
  expect(crc32(bytes)).toBe(nodeCrc32(bytes) >>> 0);
});
