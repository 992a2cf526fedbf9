// The volunteer's heartbeat, and a device that fails.

import { describe, expect, it } from 'vitest';
import { COMPUTE_MS_MAX, LOSS_WINDOW_MS } from '../../shared/volunteer/limits.ts';
import { device, give, NETWORK, Rig, wait } from './rig.ts';

describe('the heartbeat', () => {
  it('[V18] tells the state on joining, on pausing and hiding at once, and every heartbeatMs', () => {
    const rig = new Rig().joined();
    expect(rig.asked('status')).toEqual([{ type: 'status', status: { state: 'waiting' } }]);
    rig.pulled(wait(600_000));
    expect(rig.after(9_999).effects).toEqual([]);
    expect(rig.after(1).asked('status')).toHaveLength(1);
    rig.tell({ type: 'visibility', hidden: true });
    expect(rig.asked('status')).toEqual([{ type: 'status', status: { state: 'hidden' } }]);
    rig.tell({ type: 'user', command: 'pause' });
    expect(rig.asked('status')).toEqual([{ type: 'status', status: { state: 'paused' } }]);
  });

  it('[V18] tells of training and waiting at most once a second, however fast they alternate', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 });
    const before = rig.everAsked('status').length;
    for (let i = 0; i < 100; i++) {
      rig.nowMs += 20;
      rig
        .pulled(give(`l${i}`))
        .shard()
        .computed(`l${i}`)
        .pushed(`l${i}`, wait(50, 'gate'))
        .after(50);
    }
    expect(rig.everAsked('status').length - before).toBeLessThanOrEqual(7);
  });
});

describe('a device', () => {
  it('[V19] is lost: what was not computed goes back, what was is still pushed, and another is chosen', () => {
    const rig = new Rig().computing().pulled(give('b')).shard().computed('a').pushFails('a', NETWORK);
    rig.tell({ type: 'device-lost', reason: 'GPU device lost' });
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    expect(rig.asked('choose-device')).toMatchObject([{ exclude: [] }]);
    expect(rig.view).toMatchObject({ phase: 'checking', message: 'GPU device lost' });
    rig.toDeadline();
    expect(rig.asked('push')).toMatchObject([{ lease: { id: 'a' }, next: false }]);
    expect(rig.computed('b').requests).toEqual([]);
    rig.tell({ type: 'device-ready', device: device() });
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V19] is another than before: hello is said again', () => {
    const rig = new Rig().computing().tell({ type: 'device-lost', reason: 'lost' });
    rig.tell({ type: 'device-ready', device: device('cpu') });
    expect(rig.asked('hello')).toMatchObject([{ hello: { token: 'token-1', device: { backend: 'cpu' } } }]);
  });

  it('[V20] lost three times within ten minutes, its backend is not tried again', () => {
    const rig = new Rig({ backend: 'wasm' }).joined();
    const lose = (): void => {
      rig.tell({ type: 'device-lost', reason: 'lost' });
    };
    for (const expected of [[], [], ['wasm']]) {
      rig.after(LOSS_WINDOW_MS / 3);
      lose();
      expect(rig.asked('choose-device')[0]!.exclude).toEqual(expected);
      rig.tell({ type: 'device-ready', device: device(expected.length === 0 ? 'wasm' : 'cpu') });
    }
    lose();
    expect(rig.asked('choose-device')[0]).toEqual({ type: 'choose-device', prefer: null, exclude: ['wasm'] });
    rig.tell({ type: 'device-failed', reason: 'No backend works here.' });
    expect(rig.requests).toEqual(['disconnect']);
    expect(rig.view).toMatchObject({ phase: 'failed', message: 'No backend works here.' });
  });

  it('[V20] lost now and then, it is tried again each time', () => {
    const rig = new Rig().joined();
    for (let i = 0; i < 9; i++) {
      rig.after(LOSS_WINDOW_MS / 2).tell({ type: 'device-lost', reason: 'lost' });
      expect(rig.asked('choose-device')[0]!.exclude).toEqual([]);
      rig.tell({ type: 'device-ready', device: device() });
    }
  });

  it('[V21] computes garbage: it is not pushed, and three times in a row costs it its backend', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 });
    const step = (id: string): Rig => rig.pulled(give(id)).shard();
    step('a').garbage('a');
    expect(rig.requests).toEqual(['release', 'pull']);
    step('b').garbage('b');
    step('c').computed('c', 1).pushed('c', give('d')).shard(); // a good step between
    rig.garbage('d');
    step('e').computed('e', NaN); // a loss that is not finite is garbage too
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['e'] }]);
    expect(rig.everAsked('choose-device')).toHaveLength(1);
    step('f').garbage('f');
    expect(rig.asked('choose-device')).toMatchObject([{ exclude: ['wasm'] }]);
    expect(rig.view).toMatchObject({ phase: 'checking', message: 'all-zero gradient' });
    expect(rig.everAsked('push').map(({ lease }) => lease.id)).toEqual(['c']);
  });

  it('[V22] that never ends a step counts as lost', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 });
    rig.pass(COMPUTE_MS_MAX - 1);
    expect(rig.everAsked('choose-device')).toHaveLength(1);
    rig.pass(1);
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
    expect(rig.asked('choose-device')).toHaveLength(1);
  });
});
