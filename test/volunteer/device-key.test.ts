// A device's key on the volunteer's side: made, kept in a file, proved to the coordinator's own check.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deviceKeys } from '../../client/headless/keys.ts';
import { browserKey, keyOf, makePair, pairOf } from '../../client/worker/device-key.ts';
import { greet } from '../../client/worker/greeting.ts';
import type { Control } from '../../client/worker/ports.ts';
import { Challenges } from '../../server/host/challenges.ts';
import { provenDevice } from '../../server/host/devices.ts';
import { helloText } from '../../shared/protocol/proof.ts';
import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { device, welcome } from './rig.ts';

describe('a device’s key', () => {
  it('[I2] is found by the coordinator to have the id that it says itself', async () => {
    const key = await keyOf(await makePair(false));
    const challenges = new Challenges(() => 0);
    const challenge = challenges.make();
    const signature = await key.sign(helloText('digits', challenge));
    expect(key.id).toMatch(/^w[0-9a-f]{20}$/);
    expect(provenDevice({ key: key.publicKey, challenge, signature }, 'digits', challenges)).toBe(key.id);
  });

  it('[I2] that was made in a browser cannot be read out of it', async () => {
    const { privateKey } = await makePair(false);
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
  });

  it('[I2] is none where the browser withholds its cryptography, or has nowhere to keep it', async () => {
    vi.stubGlobal('indexedDB', undefined);
    expect(await browserKey()).toBe(null);
    vi.stubGlobal('crypto', {});
    expect(await browserKey()).toBe(null);
    vi.unstubAllGlobals();
  });
});

describe('a file of keys', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'murmuration-'));
    file = join(folder, 'keys.json');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const ids = async (count: number, path: string | null = file): Promise<string[]> =>
    Promise.all((await deviceKeys(count, path)).map(async (jwk) => (await keyOf(await pairOf(jwk))).id));

  it('[I2] gives each volunteer its own again, whoever else comes along', async () => {
    const first = await ids(2);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const more = await ids(3);
    expect(more.slice(0, 2)).toEqual(first);
    expect(new Set(more).size).toBe(3);
    expect(await ids(1)).toEqual(first.slice(0, 1));
    expect((JSON.parse(await readFile(file, 'utf8')) as { keys: unknown[] }).keys).toHaveLength(3);
  });

  it('[I2] is not written unless it was asked for', async () => {
    const first = await ids(1, null);
    expect(await ids(1, null)).not.toEqual(first);
  });

  it('that is none, or cannot be written, is told in a sentence', async () => {
    await writeFile(file, '{"keys":[{"kty":"oct"}]}');
    await expect(deviceKeys(1, file)).rejects.toThrow(
      `${file} has no device keys: expected a file that --key has made`,
    );
    await expect(deviceKeys(1, join(folder, 'none', 'keys.json'))).rejects.toThrow(/^cannot write the keys to/);
    await expect(deviceKeys(1, folder)).rejects.toThrow(/^cannot read the keys in/);
  });
});

describe('a greeting', () => {
  const hello: Hello = { protocol: 2, run: 'digits', name: 'n', device: device() };
  const refused: Welcome = { ok: false, protocol: 2, refusal: 'bad-key', message: 'no' };

  function control(answers: Welcome[]): { control: Control; said: Hello[] } {
    const said: Hello[] = [];
    let challenges = 0;
    const fake = {
      challenge: () => Promise.resolve(`challenge-${++challenges}`),
      hello: (one: Hello) => {
        said.push(one);
        return Promise.resolve(answers.shift()!);
      },
    };
    return { control: fake as unknown as Control, said };
  }

  it('[I2] without a key says who it is by its token alone, and its code where there is one', async () => {
    const { control: plain, said } = control([welcome(), welcome()]);
    await greet(plain, hello, { key: Promise.resolve(null), joinCode: null });
    await greet(plain, hello, { key: Promise.resolve(null), joinCode: 'sesame' });
    expect(said).toEqual([hello, { ...hello, joinCode: 'sesame' }]);
  });

  it('[I3] asks for another challenge once when the first was not good any more', async () => {
    const key = keyOf(await makePair(false));
    const first = control([refused, welcome()]);
    expect((await greet(first.control, hello, { key, joinCode: null })).ok).toBe(true);
    expect(first.said.map(({ proof }) => proof!.challenge)).toEqual(['challenge-1', 'challenge-2']);
    const second = control([refused, refused, welcome()]);
    expect(await greet(second.control, hello, { key, joinCode: null })).toEqual(refused);
    expect(second.said).toHaveLength(2);
  });
});
