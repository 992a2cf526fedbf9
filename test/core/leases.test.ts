// Leases from outside: who may have one, what ends it, and what a push against it is worth.

import { describe, expect, it } from 'vitest';
import { SentVectors } from '../../server/core/sent.ts';
import asgd from '../../server/methods/asgd.ts';
import { asLeaseId, asWorkerId } from '../../shared/ids.ts';
import { leaseDurations, Leases, type Settlement } from '../../server/core/leases.ts';
import { Driver, RUN, samplesOf, tinyRun, type Held } from './driver.ts';

const driverOf = (config: Record<string, unknown> = {}): Driver => new Driver(tinyRun(asgd, { config }));
const same = (a: Held, b: Held): boolean => JSON.stringify(a.lease.batches) === JSON.stringify(b.lease.batches);

describe('having leases', () => {
  it('[L1] a worker holds two at most; a third pull is told to wait, and its push makes room', () => {
    const driver = driverOf();
    driver.join('a');
    const [first, second] = [driver.lease('a'), driver.lease('a')];
    expect(same(first, second)).toBe(false);
    expect(driver.pull('a')).toEqual({ kind: 'wait', reason: 'lease-limit', retryAfterMs: 1000 });
    expect(driver.push('a', first, { wantsNext: true }).next.kind).toBe('lease');
    expect(driver.row('a').leases).toBe(2);
  });

  it('[L1] the limit is the run’s own', () => {
    const driver = driverOf({ leases: { perWorker: 1 } });
    driver.join('a');
    driver.lease('a');
    expect(driver.pull('a')).toMatchObject({ reason: 'lease-limit' });
  });

  it('[L1] a lease says what to compute, at which version, on which samples', () => {
    const driver = driverOf();
    driver.join('a');
    const { lease, params } = driver.lease('a');
    expect(lease).toMatchObject({ baseVersion: 0, epoch: 0, work: { kind: 'gradient' } });
    expect(lease.batches).toHaveLength(1);
    expect(params).toEqual(driver.theta());
  });

  it('[L1] a push that wants nothing more gets nothing more', () => {
    const driver = driverOf();
    driver.join('a');
    expect(driver.push('a', driver.lease('a')).next.kind).toBe('wait');
    expect(driver.row('a').leases).toBe(0);
  });
});

describe('deadlines', () => {
  it('[L2] soft is 15 s, or three median turnarounds when that is longer; hard is four times soft', () => {
    const config = { perWorker: 2, softMinMs: 15_000, softFactor: 3, hardFactor: 4 };
    expect(leaseDurations(config, { batchMs: null, overruns: 0 })).toEqual({ softMs: 15_000, hardMs: 60_000 });
    expect(leaseDurations(config, { batchMs: 4_999, overruns: 0 })).toEqual({ softMs: 15_000, hardMs: 60_000 });
    expect(leaseDurations(config, { batchMs: 20_000, overruns: 0 })).toEqual({ softMs: 60_000, hardMs: 240_000 });
  });

  it('are not kept without end of leases that are over, and stay those of the ones that are open', () => {
    const leases = new Leases();
    const sent = new SentVectors(1, 'f32').hold('0', 0, () => undefined);
    const item = { sequence: 0, epoch: 0, batches: [], samples: 0, holders: 1, issues: 1, landed: false };
    const times = { issuedAtMs: 0, softAtMs: 1e9, hardAtMs: 4e9, overdue: false };
    const of = { worker: asWorkerId('a'), item, work: { kind: 'gradient' as const }, sent, round: 1 };
    const issued = (id: string, softAtMs = times.softAtMs) => {
      const lease = { ...of, ...times, softAtMs, id: asLeaseId(id) };
      leases.issue(lease);
      return lease;
    };
    issued('overdue', 1);
    issued('open', 2e9);
    expect([...leases.due(5)].map(({ lease }) => lease.id)).toEqual(['overdue']);
    for (let i = 0; i < 50_000; i++) leases.close(issued(`l${i}`));
    expect(leases.deadlines).toBeLessThan(20_000);
    expect([...leases.due(2e9)].map(({ lease, deadline }) => [lease.id, deadline])).toEqual([['open', 'soft']]);
    expect([...leases.due(4e9)].map(({ lease }) => lease.id)).toEqual(['overdue', 'open']);
  });

  it('[L2] after the soft one the same work goes to somebody else, and the first to push counts', () => {
    const driver = driverOf();
    driver.join('slow', 'fast');
    const slow = driver.lease('slow');
    driver.advance(14_999);
    expect(same(driver.lease('fast'), slow)).toBe(false);
    driver.advance(1);
    const again = driver.lease('fast');
    expect(same(again, slow)).toBe(true);
    expect(driver.coordinator.view(RUN, 0, driver.nowMs).leases).toMatchObject({ reissued: 1, expired: 0 });
    expect(driver.push('slow', slow).outcome).toBe('applied');
    expect(driver.push('fast', again)).toMatchObject({ outcome: 'rejected', reason: 'superseded' });
    expect(driver.summary().samples).toBe(samplesOf(slow.lease));
  });

  it('[L6] [P9] a push whose work was counted from another worker is superseded, and is not counted again', () => {
    const driver = driverOf();
    driver.join('slow', 'fast');
    const slow = driver.lease('slow');
    driver.advance(15_000);
    driver.push('fast', driver.lease('fast'));
    const theta = driver.theta();
    expect(driver.push('slow', slow)).toMatchObject({ outcome: 'rejected', reason: 'superseded', version: 1 });
    expect(driver.theta()).toEqual(theta);
    expect(driver.row('slow').refused).toEqual({ superseded: 1 });
  });

  it('[L2] [P9] overdue work stays its holder’s while nobody else has finished it', () => {
    const driver = driverOf();
    driver.join('slow', 'late');
    const slow = driver.lease('slow');
    driver.advance(59_999);
    expect(driver.push('slow', slow)).toMatchObject({ outcome: 'applied' });
    expect(same(driver.lease('late'), slow)).toBe(false);
  });

  it('[L11] overdue work is not issued to its own holder again', () => {
    const driver = driverOf();
    driver.join('slow');
    const slow = driver.lease('slow');
    driver.advance(15_000);
    expect(same(driver.lease('slow'), slow)).toBe(false);
  });

  it('[L3] [P9] at the hard one the lease is over: a push is refused and counted, and the work is free', () => {
    const driver = driverOf();
    driver.join('slow', 'other');
    const slow = driver.lease('slow');
    driver.advance(60_000);
    expect(driver.coordinator.view(RUN, 0, driver.nowMs).leases).toMatchObject({ outstanding: 0, expired: 1 });
    const reply = driver.push('slow', slow);
    expect(reply).toMatchObject({ outcome: 'rejected', reason: 'expired-lease', version: 0 });
    expect(driver.row('slow').refused).toEqual({ 'expired-lease': 1 });
    expect(same(driver.lease('other'), slow)).toBe(true);
  });

  it('[L10] a deadline that has passed counts, though its tick comes later', () => {
    const driver = driverOf();
    driver.join('slow', 'other');
    const slow = driver.lease('slow');
    driver.nowMs = 60_000; // no tick
    expect(driver.push('slow', slow)).toMatchObject({ outcome: 'rejected', reason: 'expired-lease' });
  });

  it('[L2] a slow worker’s deadlines follow the median of its last 15 turnarounds', () => {
    const driver = driverOf({ epochs: 9 });
    driver.join('slow', 'other');
    for (let i = 0; i < 15; i++) {
      const held = driver.lease('slow');
      driver.advance(i < 8 ? 10_000 : 1_000);
      driver.push('slow', held);
    }
    const slow = driver.lease('slow'); // median 10 s: soft 30 s
    driver.advance(29_999);
    expect(driver.coordinator.view(RUN, 0, driver.nowMs).leases.reissued).toBe(0);
    expect(same(driver.lease('other'), slow)).toBe(false);
    driver.advance(1);
    expect(same(driver.lease('other'), slow)).toBe(true);
  });

  it('[L10] ticks are asked for at the deadlines, and for nothing else when nobody is here', () => {
    const driver = driverOf();
    expect(driver.coordinator.nextDeadlineMs()).toBeNull();
    driver.join('a');
    driver.lease('a');
    driver.leave('a');
    expect(driver.coordinator.nextDeadlineMs()).toBeNull();
  });
});

describe('a push', () => {
  it('[L4] [P9] sent again gets its first answer again, and is not counted twice', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    const first = driver.push('a', held);
    driver.push('b', driver.lease('b'));
    const theta = driver.theta();
    for (let i = 0; i < 3; i++) {
      const again = driver.push('a', held, { vector: new Float32Array(6).fill(9) });
      expect(again).toMatchObject({ outcome: 'applied', repeated: true, lag: first.lag, gap: first.gap, version: 2 });
    }
    expect(first.repeated).toBe(false);
    expect(driver.theta()).toEqual(theta);
    expect(driver.row('a').pushes).toBe(1);
  });

  it('[L4] that was refused is refused again, with the same reason, however good the second is', () => {
    const driver = driverOf();
    driver.join('a');
    const held = driver.lease('a');
    const bad = driver.push('a', held, { vector: new Float32Array(6).fill(NaN) });
    expect(bad).toMatchObject({ outcome: 'rejected', reason: 'not-finite', repeated: false });
    expect(driver.push('a', held)).toMatchObject({ outcome: 'rejected', reason: 'not-finite', repeated: true });
    expect(driver.summary().version).toBe(0);
  });

  it('[L4] [P9] may come in any order: each counts once', () => {
    const driver = driverOf();
    driver.join('a');
    const [first, second] = [driver.lease('a'), driver.lease('a')];
    expect(driver.push('a', second).outcome).toBe('applied');
    expect(driver.push('a', first).outcome).toBe('applied');
    expect(driver.push('a', second).repeated).toBe(true);
    expect(driver.summary().version).toBe(2);
  });

  it('[L5] against another worker’s lease, or one never issued, is refused and changes nothing for the owner', () => {
    const driver = driverOf();
    driver.join('owner', 'thief');
    const held = driver.lease('owner');
    expect(driver.push('thief', held)).toMatchObject({ reason: 'unknown-lease', repeated: false });
    const never = { ...held, lease: { ...held.lease, id: 'l999' } };
    expect(driver.push('thief', never)).toMatchObject({ reason: 'unknown-lease' });
    expect(driver.push('owner', held)).toMatchObject({ outcome: 'applied', version: 1 });
    expect(driver.push('thief', held)).toMatchObject({ reason: 'unknown-lease', repeated: false });
    expect(driver.row('thief').refused).toEqual({ 'unknown-lease': 3 });
  });

  it('[L7] of another number of samples than the lease has is refused, and the lease is spent', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    expect(driver.push('a', held, { samples: 3 })).toMatchObject({ outcome: 'rejected', reason: 'wrong-samples' });
    expect(driver.push('a', held)).toMatchObject({ reason: 'wrong-samples', repeated: true });
    expect(same(driver.lease('b'), held)).toBe(true);
  });

  it('[L9] that is refused gives its samples to somebody else', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.push('a', held, { vector: new Float32Array(6) });
    expect(driver.row('a').refused).toEqual({ 'all-zero': 1 });
    expect(same(driver.lease('b'), held)).toBe(true);
  });

  it('[L12] that cannot be read is counted, and its lease may still be answered', () => {
    const driver = driverOf();
    driver.join('a');
    const held = driver.lease('a');
    driver.send({ type: 'unreadable', run: RUN, worker: asWorkerId('a'), error: 'bad-checksum' });
    expect(driver.row('a').refused).toEqual({ 'bad-checksum': 1 });
    expect(driver.push('a', held).outcome).toBe('applied');
  });
});

describe('giving back', () => {
  it('[L8] released work goes to the next who asks; a push against it is unknown', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const [first, second] = [driver.lease('a'), driver.lease('a')];
    driver.release('a', first);
    expect(same(driver.lease('b'), first)).toBe(true);
    expect(driver.push('a', first)).toMatchObject({ reason: 'unknown-lease' });
    expect(driver.push('a', second)).toMatchObject({ outcome: 'applied' });
  });

  it('[L8] nobody can give back another’s lease', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.release('b', held);
    expect(driver.push('a', held).outcome).toBe('applied');
  });
});

describe('what is remembered of leases', () => {
  const settlement: Settlement = { worker: asWorkerId('w'), outcome: 'applied', lag: 0, gap: 0 };

  it('[L4] the answers of the last 20,000, no more', () => {
    const leases = new Leases();
    for (let i = 0; i < 20_001; i++) leases.remember(asLeaseId(`l${i}`), settlement);
    expect(leases.settlement(asLeaseId('l0'))).toBeUndefined();
    expect(leases.settlement(asLeaseId('l1'))).toBe(settlement);
    expect(leases.settlement(asLeaseId('l20000'))).toBe(settlement);
  });

  it('[L10] deadlines of closed leases are forgotten, and come in order', () => {
    const leases = new Leases();
    const record = (id: string, softAtMs: number) => {
      const item = { sequence: 0, epoch: 0, batches: [], samples: 1, holders: 1, issues: 1, landed: false };
      const sent = new SentVectors(1, 'f32').hold('0', 0, () => undefined);
      const times = { issuedAtMs: 0, softAtMs, hardAtMs: softAtMs * 4 };
      const work = { kind: 'gradient' } as const;
      return { id: asLeaseId(id), worker: asWorkerId('w'), item, work, sent, round: 1, ...times, overdue: false };
    };
    const [a, b, c] = [record('a', 30), record('b', 10), record('c', 20)];
    for (const lease of [a, b, c]) leases.issue(lease);
    leases.close(b);
    expect(leases.nextDeadlineMs()).toBe(20);
    const due = (nowMs: number): string[] => [...leases.due(nowMs)].map(({ lease, deadline }) => lease.id + deadline);
    expect(due(19)).toEqual([]);
    expect(due(79)).toEqual(['csoft', 'asoft']);
    expect(due(1000)).toEqual(['chard', 'ahard']); // the caller closes them; the heap is done with them
    leases.close(a);
    leases.close(c);
    expect(leases.nextDeadlineMs()).toBeNull();
    expect(leases.of(asWorkerId('w'))).toEqual([]);
  });
});
