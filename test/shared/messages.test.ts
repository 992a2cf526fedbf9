// What a remote may say, and how little more.

import { describe, expect, it } from 'vitest';
import type * as z from 'zod/mini';
import { helloSchema, pushSchema, statusSchema } from '../../shared/protocol/messages.ts';
import { refusalText, REFUSALS } from '../../shared/protocol/version.ts';

const device = { backend: 'wasm', adapter: 'SIMD', fallback: false, tried: [{ backend: 'webgpu', reason: 'none' }] };
const hello = { protocol: 2, run: 'digits', name: 'Ada', device };
const push = { loss: 2.3, samples: 64, computeMs: 12.5 };

const fits = (schema: z.ZodMiniType, value: unknown): boolean => schema.safeParse(value).success;

describe('[S5] a hello', () => {
  it('[S5] fits as it is, with a token, and with an empty name', () => {
    for (const value of [hello, { ...hello, token: 'abc_-0' }, { ...hello, name: '' }]) {
      expect(helloSchema.parse(value)).toEqual(value);
    }
  });

  it.each<[string, object]>([
    ['a name of 41 characters', { name: 'x'.repeat(41) }],
    ['a name that is no text', { name: 7 }],
    ['a run with a slash', { run: '../etc' }],
    ['a run that is empty', { run: '' }],
    ['a run of 65 characters', { run: 'r'.repeat(65) }],
    ['a protocol of a half', { protocol: 1.5 }],
    ['a protocol below zero', { protocol: -1 }],
    ['a protocol above 65,535', { protocol: 65_536 }],
    ['a token of 257 characters', { token: 't'.repeat(257) }],
    ['a join code of 65 characters', { joinCode: 'c'.repeat(65) }],
    ['17 leases', { holding: Array.from({ length: 17 }, (_, i) => `l${i}`) }],
    ['half a proof', { proof: { key: 'k', challenge: 'c' } }],
    ['a proof with a key of 101 characters', { proof: { key: 'k'.repeat(101), challenge: 'c', signature: 's' } }],
    ['an unknown backend', { device: { ...device, backend: 'cuda' } }],
    ['an adapter of 201 characters', { device: { ...device, adapter: 'x'.repeat(201) } }],
    ['nine backends tried', { device: { ...device, tried: Array(9).fill(device.tried[0]) } }],
    ['a field there is not', { admin: true }],
    ['a field there is not, deeper', { device: { ...device, cores: 8 } }],
    ['no device', { device: undefined }],
  ])('[S5] does not fit with %s', (_what, change) => {
    expect(fits(helloSchema, { ...hello, ...change })).toBe(false);
  });

  it.each([null, undefined, 'hello', 1, [], [hello]])('[S5] is not %j', (value) => {
    expect(fits(helloSchema, value)).toBe(false);
  });

  it('[S5] with a __proto__ or a constructor is refused, at any depth, and pollutes nothing', () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const text = JSON.stringify(hello);
      const outer: unknown = JSON.parse(text.replace('{', `{"${key}":{"polluted":1},`));
      const inner: unknown = JSON.parse(text.replace('"device":{', `"device":{"${key}":{"polluted":1},`));
      expect(fits(helloSchema, outer), key).toBe(false);
      expect(fits(helloSchema, inner), key).toBe(false);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('[S5] a push', () => {
  it('[S5] fits as it is, and at its bounds', () => {
    expect(pushSchema.parse(push)).toEqual(push);
    expect(fits(pushSchema, { loss: 0, samples: 1, computeMs: 0 })).toBe(true);
    expect(fits(pushSchema, { loss: 1e9, samples: 10_000_000, computeMs: 86_400_000 })).toBe(true);
  });

  it.each<[string, object]>([
    ['a loss of NaN', { loss: NaN }],
    ['an infinite loss', { loss: Infinity }],
    ['a loss above 1e9', { loss: 1.001e9 }],
    ['a loss below 0: no cross-entropy is', { loss: -1e-9 }],
    ['a loss of null, as JSON writes NaN', { loss: null }],
    ['no samples', { samples: 0 }],
    ['half a sample', { samples: 0.5 }],
    ['too many samples', { samples: 10_000_001 }],
    ['a time below zero', { computeMs: -1 }],
    ['a time of more than a day', { computeMs: 86_400_001 }],
    ['a base version: the frame has it', { baseVersion: 3 }],
    ['a text for a number', { samples: '64' }],
  ])('[S5] does not fit with %s', (_what, change) => {
    expect(fits(pushSchema, { ...push, ...change })).toBe(false);
  });
});

describe('[S5] a heartbeat', () => {
  it('[S5] says one of four states, and nothing else', () => {
    for (const state of ['training', 'paused', 'waiting', 'hidden']) expect(fits(statusSchema, { state })).toBe(true);
    for (const state of ['gone', 'asleep', '', null, 0]) expect(fits(statusSchema, { state })).toBe(false);
    expect(fits(statusSchema, { state: 'training', battery: 0.5 })).toBe(false);
  });
});

it('[S1] every refusal is one sentence or two for a person', () => {
  const texts = REFUSALS.map(refusalText);
  expect(new Set(texts).size).toBe(REFUSALS.length);
  for (const text of texts) expect(text).toMatch(/^[A-Z].*\.$/);
});
