// What the volunteer does by itself after lost answers, sleep, lost devices, and refusals that no retry can cure.

import { describe, expect, it } from 'vitest';
import { refusalText } from '../../shared/protocol/version.ts';
import { COMPUTE_MS_MAX, INTRODUCED_MS_MIN, SLEPT_MS_MIN, WAIT_JITTER } from '../../shared/volunteer/limits.ts';
import { TOO_LARGE_TEXT } from '../../shared/volunteer/words.ts';
import { device, give, NETWORK, Rig, status, wait, welcome } from './rig.ts';

/** Cut off and connected again; its next effect is the hello. */
const reconnected = (rig: Rig): Rig => rig.tell({ type: 'disconnected' }).pass(13_000).tell({ type: 'connected' });
const holdingOf = (rig: Rig) => rig.asked('hello').map(({ hello }) => hello.holding);

describe('what is still held', () => {
  it('[V27] is said with every hello but the first', () => {
    const rig = new Rig().joined();
    expect(rig.everAsked('hello')[0]!.hello).not.toHaveProperty('holding');
    rig.pulled(give('a')).shard().pulled(give('b')).shard();
    expect(holdingOf(reconnected(rig))).toEqual([['a', 'b']]);
    rig.tell({ type: 'welcome', welcome: welcome() }).computed('a');
    expect(holdingOf(reconnected(rig))).toEqual([['a', 'b']]); // a is on its way
  });

  it('[V27] a lease that comes of a pull from before the hello is given back', () => {
    const rig = new Rig().computing(); // a second pull is under way
    expect(holdingOf(reconnected(rig))).toEqual([['a']]);
    rig.tell({ type: 'welcome', welcome: welcome() });
    expect(rig.pulled(give('b')).asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    expect(rig.asked('pull')).toHaveLength(1);
    expect(rig.pulled(give('c')).asked('release')).toEqual([]);
  });

  it('[V27] so is one that comes with the answer to a push from before it', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 }).pulled(give('a')).shard().computed('a');
    reconnected(rig).tell({ type: 'welcome', welcome: welcome({ leasesPerWorker: 1 }) });
    expect(rig.pushed('a', give('b')).asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    expect(rig.view.samples).toBe(5);
    expect(rig.asked('pull')).toHaveLength(1);
  });

  it('[V27] is said again when the coordinator counts more than that, at most every 10 s', () => {
    const rig = new Rig().joined();
    expect(rig.pulled(wait(50, 'lease-limit')).requests).toEqual([]); // it has only just said so
    rig.pass(INTRODUCED_MS_MIN);
    rig.pulled(wait(50, 'lease-limit'));
    expect(holdingOf(rig)).toEqual([[]]);
    rig.tell({ type: 'welcome', welcome: welcome() }).pulled(wait(50, 'lease-limit'));
    expect(rig.asked('hello')).toEqual([]);
  });

  it('[V27] is not said again when as many are held as the run allows, or fewer are wanted', () => {
    const rig = new Rig().computing().pulled(give('b')).shard().pass(INTRODUCED_MS_MIN).computed('a');
    expect(rig.pushed('a', wait(50, 'lease-limit')).asked('hello')).toHaveLength(1); // one in hand: the other was lost
    const hidden = new Rig().computing({ leasesPerWorker: 1 }).pass(INTRODUCED_MS_MIN);
    expect(hidden.pulled(wait(50, 'lease-limit')).asked('hello')).toEqual([]);
  });
});

describe('sleep', () => {
  const ASLEEP_MS = 600_000;

  it('[V28] [P11] a step that was under way is not hung, its device not lost, its push not too old', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 }).pass(5_000).after(ASLEEP_MS);
    expect(rig.asked('choose-device')).toEqual([]);
    expect(rig.asked('release')).toEqual([]);
    rig.computed('a');
    expect(rig.requests).toEqual(['push']);
    rig.pushFails('a', NETWORK).after(ASLEEP_MS);
    expect(rig.requests).toEqual(['push']);
    rig.pushFails('a', NETWORK);
    expect(rig.asked('release')).toEqual([]);
  });

  it('[V28] a step that does not end while awake is hung, whatever was slept before', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 }).pass(5_000).after(ASLEEP_MS);
    rig.pass(COMPUTE_MS_MAX - 20_000); // it was awake until its heartbeat was due
    expect(rig.everAsked('choose-device')).toHaveLength(1);
    rig.pass(20_000);
    expect(rig.everAsked('choose-device')).toHaveLength(2);
  });

  it('[V28] [P11] on waking it connects at once, as the same worker, though nobody says that it woke', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 });
    for (let i = 0; i < 6; i++) rig.tell({ type: 'disconnected' }).toDeadline();
    rig.tell({ type: 'disconnected' }).after(ASLEEP_MS);
    expect(rig.requests).toEqual(['connect']);
    rig.tell({ type: 'connected' });
    expect(rig.asked('hello')).toMatchObject([{ hello: { token: 'token-1', holding: ['a'] } }]);
  });

  it('[V28] [P11] the first tries after waking are within 5 s, also when the network is not up yet', () => {
    const rig = new Rig().joined().after(ASLEEP_MS);
    const tries: number[] = [];
    for (let i = 0; i < 4; i++) tries.push(rig.tell({ type: 'disconnected' }).toDeadline());
    expect(tries[0]! + tries[1]! + tries[2]!).toBeLessThanOrEqual(5_000);
  });

  it('[V28] a machine that is only late has not slept', () => {
    const rig = new Rig()
      .joined()
      .pulled(wait(60_000))
      .after(10_000 + SLEPT_MS_MIN - 1); // its heartbeat was due at 10 s
    expect(rig.requests).toEqual([]);
    rig.after(10_000 + SLEPT_MS_MIN);
    expect(rig.requests).toEqual(['pull']);
  });
});

describe('a coordinator that has no time', () => {
  it.each(['busy', 'leaving'] as const)(
    '[V13] is asked again after the wait that it named, and up to half more: %s',
    (reason) => {
      const waits = ['a', 'b', 'c', 'd'].map((seed) =>
        new Rig({}, seed).joined().pulled(wait(4_000, reason)).toDeadline(),
      );
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(4_000);
      expect(Math.max(...waits)).toBeLessThanOrEqual(4_000 * (1 + WAIT_JITTER));
      expect(new Set(waits).size).toBe(4);
    },
  );

  it('[V2] a place that is refused for now is asked for as the same worker', () => {
    const rig = new Rig().joined().pullFails(status(401));
    const refused = { ok: false, protocol: 2, refusal: 'busy', message: '' } as const;
    rig.tell({ type: 'welcome', welcome: refused });
    expect(rig.view).toMatchObject({ phase: 'waiting', message: refusalText('busy') });
    rig.toDeadline();
    expect(rig.asked('hello')).toMatchObject([{ hello: { token: 'token-1' } }]);
  });
});

describe('a message that is too large', () => {
  it('[V29] [P20] is not sent again; a second one ends it, in words', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 }).pulled(give('a')).shard().computed('a');
    rig.pushFails('a', status(413));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
    rig.toDeadline();
    rig.pulled(give('b')).shard().computed('b').pushFails('b', status(413));
    expect(rig.everAsked('push').map(({ lease }) => lease.id)).toEqual(['a', 'b']);
    expect(rig.view).toMatchObject({ phase: 'failed', message: TOO_LARGE_TEXT });
  });

  it('[V29] one among good ones is only a lease lost', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 });
    for (const id of ['a', 'b', 'c']) {
      rig
        .pulled(give(id))
        .shard()
        .computed(id)
        .pushed(id, give(`${id}2`))
        .shard()
        .computed(`${id}2`);
      rig.pushFails(`${id}2`, status(413)).toDeadline();
    }
    expect(rig.view.phase).not.toBe('failed');
  });

  it('[V29] [P20] closes the control connection at most twice', () => {
    const rig = new Rig().joined().tell({ type: 'disconnected', tooLarge: true });
    rig.toDeadline();
    expect(rig.requests).toEqual(['connect']);
    rig.tell({ type: 'connected' }).tell({ type: 'disconnected', tooLarge: true });
    expect(rig.requests).toEqual(['disconnect']);
    expect(rig.view).toMatchObject({ phase: 'failed', message: TOO_LARGE_TEXT });
  });
});

describe('a lost device', () => {
  it('[V19] [V20] [P12] its lease goes back and another device is asked for in the same moment; after three, another backend', () => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device('webgpu') });
    rig.tell({ type: 'connected' }).tell({ type: 'welcome', welcome: welcome({ leasesPerWorker: 1 }) });
    for (const [i, exclude] of [[], [], ['webgpu']].entries()) {
      rig
        .pulled(give(`l${i}`))
        .shard()
        .pass(100_000);
      rig.tell({ type: 'device-lost', reason: 'destroyed' });
      expect(rig.asked('release')).toEqual([{ type: 'release', leases: [`l${i}`] }]);
      expect(rig.asked('choose-device')).toMatchObject([{ exclude }]);
      rig.tell({ type: 'device-ready', device: device('webgpu') });
    }
    expect(rig.everAsked('push')).toEqual([]); // nothing of a step that the device did not end
  });
});
