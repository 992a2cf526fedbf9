// Workers' tokens and devices' challenges: what is forged, cut, old, another's or used is worth nothing.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHALLENGE_LIFE_MS, Challenges } from '../../server/host/challenges.ts';
import { TOKEN_LIFE_MS, Tokens } from '../../server/host/tokens.ts';
import type { Started } from '../../server/host/start.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import { TOKEN_CHARS_MAX } from '../../shared/protocol/messages.ts';
import { ADMIN_TOKEN, digitsRun, start } from './harness.ts';
import { challengeOf, prove, pullStatus, refusalOf, say, TestDevice, welcomed } from './visitor.ts';

const secret = randomBytes(32);
const run = asRunId('digits');
const worker = asWorkerId('w0123456789abcdef0123');

describe('a token', () => {
  const issued = 1_700_000_000_000;
  const tokensAt = (wallMs: number): Tokens => new Tokens(secret, () => wallMs);
  const token = tokensAt(issued).issue(run, worker);

  it('[I1] is known again by another process with the same secret, for 14 days', () => {
    expect(tokensAt(issued + TOKEN_LIFE_MS).read(token)).toEqual({ run, worker, issuedMs: issued });
    expect(tokensAt(issued + TOKEN_LIFE_MS + 1).read(token)).toBe('expired-token');
    expect(new Tokens(randomBytes(32), () => issued).read(token)).toBe('forged-token');
  });

  it('[I1] also expires while it is remembered', () => {
    let nowMs = issued;
    const tokens = new Tokens(secret, () => nowMs);
    expect(tokens.read(token)).toMatchObject({ worker });
    nowMs += TOKEN_LIFE_MS + 1;
    expect(tokens.read(token)).toBe('expired-token');
  });

  it('[I1] [P25] is worth nothing with any one character changed, added or missing', () => {
    const tokens = tokensAt(issued);
    expect(token.length).toBeLessThan(TOKEN_CHARS_MAX);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'a' ? 'b' : 'a';
      const changed = token.slice(0, i) + other + token.slice(i + 1);
      // The last character of a signature has two bits that mean nothing.
      if (i < token.length - 1) expect(typeof tokens.read(changed), changed).toBe('string');
      expect(typeof tokens.read(token.slice(0, i)), `the first ${i}`).toBe('string');
    }
    expect(tokens.read(`${token}a`)).toBe('malformed-token');
    expect(tokens.read('x'.repeat(100_000))).toBe('malformed-token');
  });
});

describe('a challenge', () => {
  it('[I3] is good once, for five minutes, and for the process that made it', () => {
    let nowMs = 5;
    const challenges = new Challenges(() => nowMs);
    const [first, second] = [challenges.make(), challenges.make()];
    expect([challenges.use(first), challenges.use(first), challenges.good(second)]).toEqual([true, false, true]);
    expect(new Challenges(() => nowMs).use(second)).toBe(false);
    nowMs += CHALLENGE_LIFE_MS;
    expect(challenges.good(second)).toBe(true);
    nowMs += 1;
    expect(challenges.use(second)).toBe(false);
  });

  it('[I3] has one way of being written', () => {
    const challenges = new Challenges(() => 0);
    const challenge = challenges.make();
    for (const other of [`${challenge}=`, `${challenge} `, challenge.slice(0, -1), `+${challenge.slice(1)}`, '']) {
      expect(challenges.use(other), other).toBe(false);
    }
    expect(challenges.use(challenge)).toBe(true);
  });

  it('[I3] [P25] is refused rather than used twice when there are more than can be remembered', () => {
    let nowMs = 0;
    const challenges = new Challenges(() => nowMs, 100);
    const made = Array.from({ length: 1000 }, () => {
      nowMs += 1;
      return challenges.make();
    });
    for (const challenge of made) challenges.use(challenge);
    expect(made.filter((challenge) => challenges.good(challenge))).toEqual([]);
    nowMs += 1;
    expect(challenges.use(challenges.make())).toBe(true);
  });
});

describe('at the door', () => {
  let coordinator: Started;
  let url: string;
  beforeAll(async () => {
    coordinator = await start([digitsRun(), digitsRun('id: other')]);
    ({ url } = coordinator);
  });
  afterAll(() => coordinator.close());

  it('[I1] [P25] forged, cut and other runs’ tokens get 401, and are counted', async () => {
    const { token } = await welcomed(url);
    const signature = token.lastIndexOf('.') + 1;
    const forged = `${token.slice(0, signature)}${'A'.repeat(43)}`;
    const renamed = token.replace('digits', 'other');
    const before = { ...coordinator.loop.turned() };
    expect(await pullStatus(url, forged)).toBe(401);
    expect(await pullStatus(url, token.slice(0, -2))).toBe(401);
    expect(await pullStatus(url, token, 'other')).toBe(401);
    expect(await pullStatus(url, renamed, 'other')).toBe(401);
    const more = (name: keyof typeof before): number => (coordinator.loop.turned()[name] ?? 0) - (before[name] ?? 0);
    expect([more('forged-token'), more('malformed-token'), more('other-run-token')]).toEqual([2, 1, 1]);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /^murmuration_turned_away_total\{reason="forged-token"\} 2$/m,
    );
    expect(await pullStatus(url, token)).toBe(200);
  });

  it('[I1] [P25] a worker’s token opens nothing of the operator’s', async () => {
    const { token, worker: id } = await welcomed(url);
    const calls = ['pause', 'resume', 'stop', 'method', `workers/${id}/ban`, `workers/${id}/unban`].map(
      (call) => ['POST', `/api/runs/digits/${call}`] as const,
    );
    const admin = [
      ['GET', '/api/admin'],
      ['POST', '/api/admin/session'],
      ['POST', '/api/admin/rotate'],
      ['GET', '/api/runs/digits/admission'],
    ] as const;
    for (const [method, path] of [...calls, ...admin]) {
      const { status } = await fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } });
      expect([401, 429], path).toContain(status);
    }
    expect(coordinator.loop.summary(run).status).toBe('running');
    // Those were wrong tokens: this address is locked out by now.
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await fetch(`${url}/api/admin`, { headers })).status).toBe(429);
  });

  it('[I3] [P25] a proof that was used is refused, and so is one for another run', async () => {
    const device = new TestDevice();
    const proof = device.proof(await challengeOf(url));
    expect((await say(url, { proof })).ok).toBe(true);
    expect(await refusalOf(url, { proof })).toBe('bad-key');
    const elsewhere = device.proof(await challengeOf(url), 'digits');
    expect(await refusalOf(url, { run: 'other', proof: elsewhere })).toBe('bad-key');
    expect(await refusalOf(url, { proof: elsewhere })).toBe(null); // a failed try has not used it up
  });

  it('[I2] [P25] a proof by another key, of no key, or damaged is refused', async () => {
    const [device, other] = [new TestDevice(), new TestDevice()];
    const fresh = async () => device.proof(await challengeOf(url));
    const key = other.point.toString('base64url');
    const offCurve = Buffer.from(device.point);
    offCurve[40]! ^= 1;
    const wrong = [
      { ...(await fresh()), key },
      { ...(await fresh()), key: offCurve.toString('base64url') },
      { ...(await fresh()), key: '' },
      { ...(await fresh()), signature: Buffer.alloc(64).toString('base64url') },
      { ...(await fresh()), signature: '' },
      { ...(await fresh()), challenge: 'none' },
    ];
    for (const proof of wrong) expect(await refusalOf(url, { proof })).toBe('bad-key');
  });

  it('[I2] the token of a device with a key says hello with a proof of it only', async () => {
    const device = new TestDevice();
    const welcome = await prove(url, device);
    if (!welcome.ok) throw new Error(welcome.refusal);
    const { token } = welcome;
    expect(await refusalOf(url, { token })).toBe('bad-key');
    const thief = await prove(url, new TestDevice(), { token });
    expect(thief.ok && thief.worker).not.toBe(welcome.worker);
    const back = await prove(url, device, { token });
    expect(back.ok && back.worker).toBe(welcome.worker);
  });
});
