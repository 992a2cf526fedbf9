// What remotes are held to, by the guard alone: addresses, rates, connections, memory.

import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addressKey } from '../../server/address.ts';
import { Guard } from '../../server/guard.ts';
import { LIMITS, NO_LIMITS, RATES, TIMING } from '../../server/limits.ts';

const request = (remoteAddress: string, forwarded?: string | string[]): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as never;

describe('an address', () => {
  it.each([
    ['192.168.1.7', '192.168.1.7'],
    ['::ffff:192.168.1.7', '192.168.1.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '::1'],
    [undefined, 'unknown'],
  ])('[N2] %s is counted as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it('[N2] is the connection’s own unless a proxy is trusted, and then what that proxy saw', () => {
    const [plain, proxied] = [new Guard(), new Guard({ trustProxy: true })];
    expect(plain.address(request('10.0.0.1', '1.2.3.4'))).toBe('10.0.0.1');
    expect(plain.forwardedUnheard).toBe(1);
    expect(proxied.address(request('10.0.0.1', '9.9.9.9, 1.2.3.4'))).toBe('1.2.3.4');
    expect(proxied.address(request('10.0.0.1', ['9.9.9.9', '1.2.3.4']))).toBe('1.2.3.4');
    expect(proxied.address(request('10.0.0.1', `${'x'.repeat(5000)}, 1.2.3.4`))).toBe('1.2.3.4');
    expect(proxied.address(request('10.0.0.1', 'me'))).toBe('10.0.0.1');
    expect(proxied.address(request('10.0.0.1'))).toBe('10.0.0.1');
  });
});

describe('the rates', () => {
  const tight = (points: number): Guard =>
    new Guard({ limits: { ...NO_LIMITS, rates: { ...NO_LIMITS.rates, hello: { points, seconds: 60 } } } });

  it('[N1] let so many through, and then say how long to wait; others are not concerned', async () => {
    const guard = tight(3);
    const asked = [];
    for (let i = 0; i < 5; i++) asked.push(await guard.seconds('hello', '10.0.0.1'));
    expect(asked.slice(0, 3)).toEqual([0, 0, 0]);
    expect(asked.slice(3).every((seconds) => seconds > 50 && seconds <= 60)).toBe(true);
    expect(await guard.seconds('hello', '10.0.0.2')).toBe(0);
    expect(guard.heldBack).toMatchObject({ hello: 2, worker: 0 });
  });

  it('[N1] count an exchange by its worker and by its address', async () => {
    const rates = { ...NO_LIMITS.rates, worker: { points: 2, seconds: 60 }, address: { points: 3, seconds: 60 } };
    const guard = new Guard({ limits: { ...NO_LIMITS, rates } });
    const workers = ['a', 'a', 'a', 'b', 'b'];
    const waits: number[] = [];
    for (const worker of workers) waits.push(await guard.exchange(worker, 'one address'));
    expect(waits.map((seconds) => seconds > 0)).toEqual([false, false, true, false, true]);
    expect(guard.heldBack).toMatchObject({ worker: 1, address: 1 });
  });

  it('[N1] have room for forty machines of three tabs behind one address', () => {
    const tabs = 40 * 3;
    expect(RATES.hello.points).toBeGreaterThanOrEqual(2 * tabs); // a challenge and a hello
    expect(RATES.upgrade.points).toBeGreaterThanOrEqual(2 * tabs);
    expect(RATES.page.points).toBeGreaterThanOrEqual(20 * tabs);
    expect(RATES.address.points).toBeGreaterThanOrEqual(25 * tabs);
    expect(LIMITS.connectionsPerAddress).toBeGreaterThanOrEqual(8 * tabs);
  });
});

describe('connections and memory', () => {
  it('[N3] are counted by address, and forgotten when they close', () => {
    const guard = new Guard({ limits: { ...LIMITS, connectionsPerAddress: 2 } });
    const first = guard.connect('10.0.0.1')!;
    expect(guard.connect('10.0.0.1')).not.toBeNull();
    expect(guard.connect('10.0.0.1')).toBeNull();
    expect(guard.connect('10.0.0.2')).not.toBeNull();
    first();
    expect(guard.connect('10.0.0.1')).not.toBeNull();
    expect(guard.heldBack.connections).toBe(1);
  });

  it('[N3] of a proxy are everybody’s until they are WebSockets, which are counted by whose they are', () => {
    const guard = new Guard({ limits: { ...LIMITS, connectionsPerAddress: 1 }, trustProxy: true });
    for (let i = 0; i < 3; i++) expect(guard.connectSocket('127.0.0.1')).not.toBeNull();
    const first = guard.connectWebSocket('10.0.0.1')!;
    expect(guard.connectWebSocket('10.0.0.1')).toBeNull();
    expect(guard.connectWebSocket('10.0.0.2')).not.toBeNull();
    first();
    expect(guard.connectWebSocket('10.0.0.1')).not.toBeNull();
    expect([guard.connections, guard.heldBack.connections]).toEqual([3, 1]);
  });

  it('[N4] bodies have room together, and one always has', () => {
    const guard = new Guard({ limits: { ...LIMITS, bodiesBytes: 100 } });
    const take = (bytes: number, number: number): boolean => guard.takeBody(`10.0.0.${number}`, bytes);
    expect([take(300, 1), take(1, 2)]).toEqual([true, false]);
    guard.returnBody('10.0.0.1', 300);
    expect([take(60, 1), take(40, 2), take(1, 3)]).toEqual([true, true, false]);
    expect(guard.heldBack.bodies).toBe(2);
  });

  it('[N4] bodies of one address have a part of that room, and one always has, also by pieces', () => {
    const guard = new Guard({ limits: { ...LIMITS, bodiesBytes: 800, bodiesBytesPerAddress: 100 } });
    const take = (bytes: number, had = 0): boolean => guard.takeBody('10.0.0.1', bytes, had);
    expect([take(60), take(40), take(1)]).toEqual([true, true, false]);
    expect(guard.takeBody('10.0.0.2', 100)).toBe(true);
    guard.returnBody('10.0.0.1', 100);
    expect([take(90), take(90, 90), take(1), take(1, 180)]).toEqual([true, true, false, true]);
    guard.returnBody('10.0.0.1', 181);
    guard.returnBody('10.0.0.2', 100);
    expect(guard.bodiesBytes).toBe(0);
  });

  it('[N4] an eighth of the room is one address’s', () => {
    expect(LIMITS.bodiesBytesPerAddress).toBe(LIMITS.bodiesBytes / 8);
  });

  it('[N5] a body has time by its length', () => {
    const guard = new Guard();
    expect(guard.bodyMs(0)).toBe(TIMING.bodyGraceMs);
    expect(guard.bodyMs(4_000_000)).toBeGreaterThan(32_000); // one megabit a second
    expect(guard.bodyMs(1_000)).toBeLessThan(16_000);
    expect(TIMING.silentMs + TIMING.pingEveryMs).toBeLessThanOrEqual(45_000);
  });
});
