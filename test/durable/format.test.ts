// A checkpoint as bytes: what is written comes back to the bit, and whatever is not as it was written is refused in words.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, decodeCheckpoint, encodeCheckpoint, seal } from '../../server/adapters/checkpoints/format.ts';
import { fromText, toText } from '../../server/core/exact.ts';
import { decodeSafetensors, encodeSafetensorsHead } from '../../shared/safetensors.ts';
import { LAYERS, snapshotOf } from './snapshots.ts';

const checkpoint = { snapshot: snapshotOf(7), boot: 3, savedAt: '2026-01-02T03:04:05.000Z' };

function written(of = checkpoint): Buffer {
  const encoded = encodeCheckpoint(of, LAYERS);
  seal(encoded);
  return Buffer.concat([encoded.head, ...encoded.vectors.map(bytesOf)]);
}

/** The same file with another header, and a checksum that is right again. */
function forged(edit: (header: string) => string): Buffer {
  const file = written();
  const end = 8 + Number(file.readBigUInt64LE(0));
  const text = Buffer.from(
    edit(file.toString('utf8', 8, end).trimEnd()).replace(/"sha256":"\w+"/, `"sha256":"${'0'.repeat(64)}"`),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const whole = Buffer.concat([length, text, file.subarray(end)]);
  const at = whole.indexOf('"sha256":"') + 10;
  whole.write(createHash('sha256').update(whole).digest('hex'), at, 'latin1');
  return whole;
}

describe('a checkpoint', () => {
  it('[C1] comes back to the bit: vectors, counters, NaN, infinities and negative zero', () => {
    const back = decodeCheckpoint(written());
    expect(back).toEqual(checkpoint);
    const { state } = back.snapshot;
    expect(Object.is((state['outer'] as { minus: number }).minus, -0)).toBe(true);
    expect(Buffer.from(bytesOf(state['theta'] as Float32Array))).toEqual(
      Buffer.from(bytesOf(checkpoint.snapshot.state['theta'] as Float32Array)),
    );
  });

  it('[C1] is a safetensors file: θ by layer, the rest by its path, and every byte has one owner', () => {
    const file = written();
    const { tensors, metadata } = decodeSafetensors(file);
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['1.kernel', [2, 3]],
      ['1.bias', [3]],
      ['state/outer/v', [9]],
      ['state/outer/by~1worker/w~01', [9]],
      ['state/outer/by~1worker/__proto__', [9]],
      ['state/outer/empty', [0]],
    ]);
    expect(tensors[0]!.offset % 8).toBe(0);
    expect(metadata).toMatchObject({ run: 'digits', version: '7', boot: '3', ended: 'false' });
    expect(JSON.parse(metadata['config']!)).toMatchObject({ dataset: 'digits' });
  });

  it('[C1] has a digest that anyone can check: of the file with 64 zeros in its place', () => {
    const file = written();
    const at = file.indexOf('"sha256":"') + 10;
    const digest = file.toString('latin1', at, at + 64);
    file.write('0'.repeat(64), at, 'latin1');
    expect(createHash('sha256').update(file).digest('hex')).toBe(digest);
  });

  it('[C1] [P5] is refused when any one bit is another, or any end of it is missing', () => {
    const file = written();
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(7), (at, bit) => {
        const spoilt = Buffer.from(file);
        spoilt[at]! ^= 1 << bit;
        expect(() => decodeCheckpoint(spoilt)).toThrow(/^(it|its) /);
      }),
      { seed: 41, numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(() => decodeCheckpoint(file.subarray(0, length))).toThrow(/^(it|its) /);
      }),
      { seed: 42, numRuns: 200 },
    );
    expect(() => decodeCheckpoint(Buffer.concat([file, Buffer.alloc(4)]))).toThrow(/damaged/);
  });

  it.each<[string, string, string, RegExp]>([
    ['of a later format', '"formatVersion":"1"', '"formatVersion":"2"', /format 2 where 1 was expected/],
    ['of something else', 'murmuration-checkpoint', 'murmuration-chequepoint', /no checkpoint/],
    ['with a version that is none', '"version":"7"', '"version":"-7"', /"version" is no count/],
    ['with a tensor of another type', '"dtype":"F32"', '"dtype":"F16"', /another type than F32/],
    ['with a tensor of another shape', '"shape":[2,3]', '"shape":[2,2]', /24 bytes for \[2, 2\] numbers/],
    ['with a tensor called __proto__', '"state/outer/v":', '"__proto__":', /a name that none can have/],
    ['with a tensor that has no place', '[\\"state/outer/v\\"]', '[]', /has no place in the run/],
    ['with a place that has no tensor', '[\\"state/outer/v\\"]', '[\\"state/x\\"]', /"state\/x" is missing/],
    ['with a gap', '"data_offsets":[24,36]', '"data_offsets":[28,40]', /begins at byte \d+ where \d+ was expected/],
    [
      'with a configuration that is none',
      '\\"dataset\\":\\"digits\\"',
      '\\"dataset\\":\\"rigids\\"',
      /its configuration/,
    ],
    ['without parameters', '\\"theta\\":{', '\\"Theta\\":{', /no parameters/],
  ])('[C1] is refused %s, though its checksum is right', (_, from, to, said) => {
    const file = forged((header) => {
      expect(header).toContain(from);
      return header.replace(from, to);
    });
    expect(() => decodeCheckpoint(file)).toThrow(said);
  });
});

describe('values as text', () => {
  const noVector = (): never => {
    throw new Error('no vector');
  };

  it('[C1] come back as they were, whatever they are', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$number', '$vector', '$$', '__proto__')), tie('any'), {
          maxKeys: 4,
        }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        expect(fromText(toText(given, noVector), noVector)).toEqual(given);
      }),
      { seed: 43, numRuns: 1000 },
    );
  });

  it('[C1] are refused when nothing could bring them back', () => {
    for (const value of [() => 1, Symbol('x'), new Map(), 10n]) expect(() => toText({ value }, noVector)).toThrow();
    expect(fromText(toText({ a: undefined, b: 1 }, noVector), noVector)).toEqual({ b: 1 });
    expect(() => fromText('{"$number":"seven"}', noVector)).toThrow(/a number that is none/);
    expect(() => fromText('{', noVector)).toThrow(/not JSON/);
  });
});

describe('the head of a safetensors file', () => {
  it('ends where numbers may begin: at a multiple of eight bytes', () => {
    for (let length = 1; length < 20; length += 1) {
      const head = encodeSafetensorsHead([{ name: 'ü'.repeat(length), shape: [1] }], { a: 'b' });
      expect(head.length % 8).toBe(0);
      expect(decodeSafetensors(Buffer.concat([head, Buffer.alloc(4)])).tensors).toHaveLength(1);
    }
  });
});
