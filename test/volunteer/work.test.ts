// The volunteer's leases: how exchange and compute overlap, and what becomes of a push that does not get through.

import { describe, expect, it } from 'vitest';
import { PUSH_ATTEMPTS_MAX, PUSH_RETRY_MS_MAX, SHARD_ATTEMPTS_MAX } from '../../shared/volunteer/limits.ts';
import { give, NETWORK, Rig, status, wait, welcome } from './rig.ts';

describe('leases in hand', () => {
  it('[V5] asks for a second lease while the first computes, and for no third', () => {
    const rig = new Rig().joined();
    expect(rig.requests).toEqual(['pull']);
    rig.pulled(give('a'));
    expect(rig.requests).toEqual(['fetch-shard', 'pull']);
    rig.shard();
    expect(rig.requests).toEqual(['compute']);
    rig.pulled(give('b')).shard();
    expect(rig.requests).toEqual([]);
    expect(rig.after(60_000).requests).toEqual([]);
  });

  it('[V6] pushes before it computes the next, so that the exchange overlaps the compute', () => {
    const rig = new Rig().computing().pulled(give('b')).shard();
    rig.computed('a');
    expect(rig.requests).toEqual(['push', 'compute']);
    expect(rig.asked('push')[0]).toMatchObject({ lease: { id: 'a' }, next: true });
    expect(rig.asked('compute')[0]).toMatchObject({ lease: { id: 'b' } });
    rig.pushed('a', give('c')).shard();
    expect(rig.requests).toEqual([]); // c waits for b: one step at a time
    rig.computed('b');
    expect(rig.asked('compute')[0]).toMatchObject({ lease: { id: 'c' } });
    expect(rig.everAsked('pull')).toHaveLength(2); // from then on every lease comes with a push's answer
  });

  it('[V6] with one lease a worker, push and compute take turns', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 });
    expect(rig.everAsked('pull')).toHaveLength(1);
    rig.computed('a');
    expect(rig.requests).toEqual(['push']);
    rig.pushed('a', give('b')).shard();
    expect(rig.requests).toEqual(['compute']);
  });

  it('[V7] fetches every shard that a lease needs before it computes, each once', () => {
    const rig = new Rig().joined();
    const batches = [0, 2, 0].map((shard) => ({ shard, start: 0, count: 5, offset: 0, stride: 1 }));
    const next = give('a');
    if (next.kind !== 'lease') throw new Error('unreachable');
    rig.pulled({ kind: 'lease', lease: { ...next.lease, batches } });
    expect(rig.asked('fetch-shard').map(({ shard }) => shard)).toEqual([0, 2]);
    expect(rig.shard(2).requests).toEqual([]);
    expect(rig.shard(0).requests).toEqual(['compute']);
  });

  it('[V7] tries a shard again with back-off, and gives its lease back after the last try', () => {
    const rig = new Rig().joined({ leasesPerWorker: 1 }).pulled(give('a', 1));
    const waits: number[] = [];
    for (let attempt = 1; attempt < SHARD_ATTEMPTS_MAX; attempt++) {
      rig.tell({ type: 'shard-failed', shard: 1, failure: NETWORK });
      waits.push(rig.toDeadline());
      expect(rig.asked('fetch-shard')).toEqual([{ type: 'fetch-shard', shard: 1 }]);
    }
    expect(waits.every((ms, i) => ms >= 250 * 2 ** i && ms <= 500 * 2 ** i)).toBe(true);
    rig.tell({ type: 'shard-failed', shard: 1, failure: NETWORK });
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
    expect(rig.asked('pull')).toEqual([]);
    rig.toDeadline();
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V8] gives back a lease whose parameters are damaged, or whose shard does not exist', () => {
    const rig = new Rig().joined().pulled(give('a'), false);
    expect(rig.requests).toEqual(['release']);
    rig.toDeadline();
    expect(rig.requests).toEqual(['pull']);
    rig.pulled(give('b', 99));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    expect(rig.everAsked('compute')).toEqual([]);
  });

  it('[V9] counts the samples of accepted pushes once, and drops what a rejected push was for', () => {
    const rig = new Rig().overlapping();
    rig.pushed('a', give('c'));
    expect(rig.asked('forget')).toEqual([{ type: 'forget', lease: 'a' }]);
    expect(rig.view).toMatchObject({ steps: 1, samples: 5, rejected: 0, lag: 1, gap: 0.25, loss: 2 });
    rig.pushed('a', give('c'), { repeated: true });
    expect(rig.view.samples).toBe(5);
    expect(rig.requests).toEqual([]); // c is in hand already
    rig.computed('b').pushed('b', give('d'), { outcome: 'rejected', reason: 'late-round' });
    expect(rig.view).toMatchObject({ steps: 2, samples: 5, rejected: 1 });
    expect(rig.asked('forget')).toEqual([{ type: 'forget', lease: 'b' }]);
  });
});

describe('a push that does not get through', () => {
  it('[V10] is sent again unchanged after a growing wait, while the next step goes on', () => {
    const rig = new Rig().overlapping();
    const first = rig.asked('push')[0]!;
    rig.pushFails('a', NETWORK);
    expect(rig.requests).toEqual([]);
    const waits = [rig.toDeadline()];
    expect(rig.asked('push')[0]).toEqual(first);
    rig.pushFails('a', { kind: 'unreadable', reason: 'truncated' });
    waits.push(rig.toDeadline());
    expect(rig.asked('push')[0]).toEqual(first);
    expect(waits[0]).toBeGreaterThanOrEqual(250);
    expect(waits[0]).toBeLessThanOrEqual(500);
    expect(waits[1]).toBeGreaterThanOrEqual(500);
    expect(waits[1]).toBeLessThanOrEqual(1000);
    rig.pushed('a', give('c'), { repeated: true });
    expect(rig.view.samples).toBe(5);
  });

  it('[V10] differs in its waits from worker to worker', () => {
    const waitOf = (seed: string): number => {
      const rig = new Rig({}, seed).overlapping().pushFails('a', NETWORK);
      return rig.toDeadline();
    };
    expect(new Set(['a', 'b', 'c', 'd'].map(waitOf)).size).toBe(4);
    expect(waitOf('a')).toBe(waitOf('a'));
  });

  it('[V10] waits as long as a busy coordinator asks, but not for hours', () => {
    const rig = new Rig().overlapping().pushFails('a', status(503, 7_000));
    expect(rig.toDeadline()).toBe(7_000);
    expect(rig.requests).toEqual(['push']);
    rig.pushFails('a', status(429, 86_400_000));
    expect(rig.toDeadline()).toBe(60_000);
    expect(rig.requests).toEqual(['push']);
  });

  it('[V11] is given up after so many tries, and its lease given back', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1, heartbeatMs: 1e9 }).computed('a');
    const sinceMs = rig.nowMs;
    for (let failures = 1; failures < PUSH_ATTEMPTS_MAX; failures++) {
      rig.pushFails('a', NETWORK);
      rig.toDeadline();
    }
    expect(rig.everAsked('push')).toHaveLength(PUSH_ATTEMPTS_MAX);
    rig.pushFails('a', NETWORK);
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
    expect(rig.nowMs - sinceMs).toBeLessThan(PUSH_RETRY_MS_MAX);
    rig.toDeadline();
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V11] is given up when the next try would come too late', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 }).computed('a');
    rig.pushFails('a', status(503, 60_000)).pass(60_000);
    rig.pass(40_000).pushFails('a', status(503, 60_000));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
  });

  it.each([400, 404, 413])('[V11] is given up at once when the coordinator cannot take it (%i)', (code) => {
    const rig = new Rig().overlapping().pushFails('a', status(code));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['a'] }]);
    expect(rig.asked('pull')).toEqual([]);
    rig.toDeadline();
    expect(rig.asked('pull')).toHaveLength(1);
  });
});

describe('a worker that is not known', () => {
  it('[V12] says hello again with its token, keeps its leases and sends the push again', () => {
    const rig = new Rig().overlapping();
    const first = rig.asked('push')[0]!;
    rig.pushFails('a', status(401));
    expect(rig.requests).toEqual(['hello']);
    expect(rig.asked('hello')[0]!.hello.token).toBe('token-1');
    expect(rig.after(5_000).requests).toEqual([]); // nothing is sent with a token that is not known
    rig.tell({ type: 'welcome', welcome: welcome({}, 'token-2') });
    expect(rig.asked('push')[0]).toEqual(first);
    expect(rig.everAsked('release')).toEqual([]);
    rig.pushed('a', give('c'), { outcome: 'rejected', reason: 'unknown-lease' });
    expect(rig.asked('forget')).toEqual([{ type: 'forget', lease: 'a' }]);
    expect(rig.view.rejected).toBe(1);
  });

  it('[V12] does not ask a coordinator that never knows it faster and faster', () => {
    const rig = new Rig().joined();
    rig.pullFails(status(401));
    expect(rig.requests).toEqual(['hello']);
    rig.tell({ type: 'welcome', welcome: welcome() });
    expect(rig.requests).toEqual(['pull']);
    rig.pullFails(status(401));
    expect(rig.requests).toEqual([]);
    expect(rig.toDeadline()).toBeGreaterThanOrEqual(250);
    expect(rig.requests).toEqual(['hello']);
  });

  it('[V12] gives up its leases when the welcome is to another run', () => {
    const rig = new Rig().overlapping().pushFails('a', status(401));
    rig.tell({ type: 'welcome', welcome: welcome({ layoutHash: 1 }) });
    expect(rig.asked('release')[0]!.leases.toSorted()).toEqual(['a', 'b']);
    expect(rig.everAsked('push')).toHaveLength(1);
    expect(rig.asked('pull')).toHaveLength(1);
    rig.pulled(give('c')).shard();
    expect(rig.requests).toEqual([]); // the device is still at b
    rig.computed('b');
    expect(rig.asked('compute')[0]!.lease.id).toBe('c');
  });
});

describe('no work', () => {
  it('[V13] asks again after the time that the coordinator names', () => {
    const rig = new Rig().joined().pulled(wait(3_000, 'gate'));
    expect(rig.view).toMatchObject({ phase: 'waiting', message: 'Waiting for the other workers.' });
    expect(rig.after(2_999).requests).toEqual([]);
    expect(rig.after(1).requests).toEqual(['pull']);
  });

  it('[V13] asks at once when the operator resumes, and does not spin on a wait of nothing', () => {
    const rig = new Rig().joined().pulled(wait(30_000, 'paused'));
    rig.tell({ type: 'control', command: 'resume' });
    expect(rig.requests).toEqual(['pull']);
    rig.pulled(wait(0));
    expect(rig.requests).toEqual([]);
    expect(rig.toDeadline()).toBe(50);
  });

  it('[V13] asks at once for the second lease after a wait answered the first', () => {
    const rig = new Rig().computing().pulled(wait(1_000, 'gate')).computed('a');
    expect(rig.asked('push')[0]!.next).toBe(true);
    rig.pushed('a', give('b'));
    expect(rig.view.phase).toBe('training');
    expect(rig.after(1_000).requests).toEqual(['pull']);
  });

  it('[V14] is over when the coordinator says stop: what is in hand goes back', () => {
    const rig = new Rig().overlapping();
    rig.pushed('a', { kind: 'stop', reason: 'finished' });
    expect(rig.requests).toEqual(['release', 'disconnect']);
    expect(rig.asked('release')[0]!.leases).toEqual(['b']);
    expect(rig.view).toMatchObject({ phase: 'finished', message: 'This run has ended. Thank you.' });
    expect(rig.machine.nextDeadlineMs()).toBeNull();
    expect(rig.computed('b').effects).toEqual([]);
  });

  it('[V14] obeys stop over the control plane too', () => {
    const rig = new Rig().computing().tell({ type: 'control', command: 'stop' });
    expect(rig.requests).toEqual(['release', 'disconnect']);
    expect(rig.view.phase).toBe('finished');
  });
});
