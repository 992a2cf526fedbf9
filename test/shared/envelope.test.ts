// JSON and frame in one body, and bodies that are neither.

import { describe, expect, it } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelopeHead,
  envelopeBytes,
  PUSH_JSON_BYTES_MAX,
} from '../../shared/protocol/envelope.ts';
import { encodeEnvelope } from './whole-envelope.ts';
import fc from '../property.ts';

const errorOf = (bytes: Uint8Array, max = PUSH_JSON_BYTES_MAX): string => {
  const result = decodeEnvelope(bytes, max);
  return result.ok ? 'ok' : result.error;
};

/** An envelope by hand: lengths as told, whatever follows. */
function envelope(jsonBytes: number, frameBytes: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + body.byteLength);
  new DataView(bytes.buffer).setUint32(0, jsonBytes, true);
  new DataView(bytes.buffer).setUint32(4, frameBytes, true);
  bytes.set(body, 8);
  return bytes;
}
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('an envelope', () => {
  it('[W6] brings its JSON and its frame over, the frame on a multiple of 8', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array({ maxLength: 60 }), (json, payload) => {
        const { bytes, frame } = encodeEnvelope(json, payload.byteLength);
        frame.set(payload);
        expect(frame.byteOffset % 8 === 0 || payload.byteLength === 0).toBe(true);
        const read = decodeEnvelope(bytes, 1e6);
        if (!read.ok) expect.fail(read.error);
        expect(JSON.stringify(read.json)).toBe(JSON.stringify(json));
        expect(read.frame).toEqual(payload.byteLength === 0 ? null : payload);
      }),
    );
  });

  it('[W6] has as many bytes as envelopeBytes says', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(50), (text, frameBytes) => {
        const { bytes } = encodeEnvelope(text, frameBytes);
        expect(bytes.byteLength).toBe(envelopeBytes(utf8(JSON.stringify(text)).byteLength, frameBytes));
      }),
    );
  });

  it('[W6] may be sent as a head and a frame: the same bytes', () => {
    const { bytes, frame } = encodeEnvelope({ loss: 0.5 }, 5);
    frame.set([1, 2, 3, 4, 5]);
    const head = encodeEnvelopeHead({ loss: 0.5 }, 5);
    expect(Buffer.concat([head, frame])).toEqual(Buffer.from(bytes));
  });

  it('[W8] is read at any offset', () => {
    const { bytes, frame } = encodeEnvelope({ a: 1 }, 3);
    frame.set([7, 8, 9]);
    const pooled = Buffer.alloc(bytes.byteLength + 3, 0xff);
    pooled.set(bytes, 3);
    expect(decodeEnvelope(pooled.subarray(3), 100)).toMatchObject({ ok: true, json: { a: 1 } });
  });
});

describe('a spoiled envelope', () => {
  it('[W7] cut short anywhere is truncated', () => {
    const { bytes } = encodeEnvelope({ loss: 1 }, 20);
    for (let size = 0; size < bytes.byteLength; size++) expect(errorOf(bytes.subarray(0, size))).toBe('truncated');
  });

  it('[W7] with anything after it is oversized', () => {
    const { bytes } = encodeEnvelope({ loss: 1 }, 20);
    expect(errorOf(Buffer.concat([bytes, new Uint8Array(1)]))).toBe('oversized');
  });

  it('[W7] with more JSON than its reader takes is oversized, before the JSON is looked at', () => {
    expect(errorOf(envelope(PUSH_JSON_BYTES_MAX + 1, 0, utf8('{')))).toBe('oversized');
    expect(errorOf(envelope(0xffffffff, 0xffffffff, utf8('{')))).toBe('oversized');
  });

  it('[W7] with something else than zeros before its frame is misaligned', () => {
    expect(errorOf(envelope(2, 8, utf8('{}MURM....000000')))).toBe('misaligned');
    expect(errorOf(envelope(2, 8, utf8('{}\0\0\0\0\0\0MURM....')))).toBe('ok');
  });

  it.each(['', '{', '{"a":}', "{'a':1}", 'NaN', '\uFEFF{}x'])('[W7] with the JSON %j is malformed', (text) => {
    const json = utf8(text);
    expect(errorOf(envelope(json.byteLength, 0, json))).toBe('malformed-json');
  });

  it('[W7] with bytes that are not UTF-8 is malformed', () => {
    expect(errorOf(envelope(4, 0, Uint8Array.of(0x22, 0xff, 0xfe, 0x22)))).toBe('malformed-json');
  });

  it('[W7] arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        decodeEnvelope(bytes, 4096);
      }),
    );
  });

  it('[W7] JSON nested 2,000 deep, and __proto__, neither throw nor reach any prototype', () => {
    const deep = utf8('['.repeat(2000) + ']'.repeat(2000));
    expect(errorOf(envelope(deep.byteLength, 0, deep))).toBe('ok');
    const proto = utf8('{"__proto__":{"polluted":1}}');
    expect(errorOf(envelope(proto.byteLength, 0, proto))).toBe('ok');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
