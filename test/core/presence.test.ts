// Who is here, who is not, and what a pause, a stop and a wait mean.

import { describe, expect, it } from 'vitest';
import { RUNS_MAX } from '../../server/core/coordinator.ts';
import { ParkedPulls } from '../../server/core/parked.ts';
import { Sessions } from '../../server/core/sessions.ts';
import asgd from '../../server/methods/asgd.ts';
import { asRunId, asWorkerId } from '../../shared/ids.ts';
import { DEVICE, Driver, RUN, tinyRun } from './driver.ts';

const driverOf = (config: Record<string, unknown> = {}): Driver => new Driver(tinyRun(asgd, { config }));
const heartbeat = (driver: Driver, worker: string): void => {
  driver.send({ type: 'status', run: RUN, worker: asWorkerId(worker), state: 'training' });
};

describe('presence', () => {
  it('[H1] a worker that is silent for more than 30 s is asleep, and keeps its leases', () => {
    const driver = driverOf();
    driver.join('a');
    driver.lease('a');
    driver.advance(30_000);
    expect(driver.row('a').state).toBe('training');
    driver.advance(1);
    expect(driver.row('a')).toMatchObject({ state: 'asleep', leases: 1 });
    expect(driver.summary().workers).toBe(1);
  });

  it('[H2] after more than 90 s it is gone, and its leases are free', () => {
    const driver = driverOf({ leases: { softMinMs: 1_000_000 } });
    driver.join('a', 'b');
    const held = driver.lease('a');
    for (let i = 0; i < 10; i++) {
      driver.advance(9_100);
      heartbeat(driver, 'b');
    }
    driver.advance(1_000);
    expect(driver.row('a')).toMatchObject({ state: 'gone', leases: 0 });
    expect(driver.row('b').state).toBe('training');
    expect(driver.summary().workers).toBe(1);
    expect(driver.lease('b').lease.batches).toEqual(held.lease.batches);
  });

  it('[H3] a worker that leaves gives its leases back at once', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.leave('a');
    expect(driver.row('a')).toMatchObject({ state: 'gone', leases: 0 });
    const again = driver.lease('b');
    expect(again.lease.batches).toEqual(held.lease.batches);
    expect(again.lease.id).not.toBe(held.lease.id);
    expect(driver.push('a', held)).toMatchObject({ reason: 'unknown-lease' });
  });

  it('[H4] a worker thought gone is here again when it pulls, pushes or reports; traffic alone proves nothing', () => {
    const acts: ((driver: Driver) => void)[] = [
      (driver) => driver.ask('a'),
      (driver) => heartbeat(driver, 'a'),
      (driver) =>
        driver.push('a', {
          lease: { id: 'old', baseVersion: 0, epoch: 0, work: { kind: 'gradient' }, batches: [] },
          params: driver.theta(),
        }),
    ];
    for (const act of acts) {
      const driver = driverOf();
      driver.join('a');
      driver.advance(95_000);
      expect(driver.summary().workers).toBe(0);
      driver.send({ type: 'traffic', run: RUN, worker: asWorkerId('a'), bytesIn: 1, bytesOut: 1 });
      expect(driver.row('a').state).toBe('gone');
      act(driver);
      expect(driver.row('a').state).toBe('training');
      expect(driver.summary().workers).toBe(1);
    }
  });

  it('[S3] a worker that joins again is the same worker: its figures and its open leases stay', () => {
    const driver = driverOf();
    driver.join('a');
    driver.push('a', driver.lease('a'));
    const held = driver.lease('a');
    driver.join('a');
    expect(driver.row('a')).toMatchObject({ pushes: 1, leases: 1 });
    expect(driver.push('a', held).outcome).toBe('applied');
    expect(driver.coordinator.workers(RUN, driver.nowMs)).toHaveLength(1);
  });

  it('[H1] what a worker says of itself is shown', () => {
    const driver = driverOf();
    driver.join('a');
    driver.send({ type: 'status', run: RUN, worker: asWorkerId('a'), state: 'hidden' });
    expect(driver.row('a').state).toBe('hidden');
    driver.join('a');
    expect(driver.row('a').state).toBe('training');
  });

  it('[S6] of workers that left, the last 500 are remembered', () => {
    const sessions = new Sessions();
    for (let i = 0; i < 600; i++) {
      sessions.join({ worker: asWorkerId(`w${i}`), name: '', device: DEVICE }, i);
      if (i !== 3) sessions.leave(asWorkerId(`w${i}`), i);
    }
    expect(sessions.snapshot().workers.length).toBeLessThanOrEqual(502);
    expect(sessions.find(asWorkerId('w0'))).toBeUndefined();
    expect(sessions.find(asWorkerId('w3'))?.present).toBe(true); // it never left
    expect(sessions.find(asWorkerId('w599'))).toBeDefined();
  });

  it('[S6] what the forgotten ones did stays in the totals', () => {
    const sessions = new Sessions();
    for (let i = 0; i < 600; i++) {
      const worker = asWorkerId(`w${i}`);
      sessions.join({ worker, name: '', device: DEVICE }, i);
      sessions.get(worker).accepted({ lag: 0, gap: 0, loss: 1, samples: 64, batchMs: 10, inTime: true }, i);
      sessions.get(worker).reject('all-zero');
      sessions.traffic(worker, { bytesIn: 3, bytesOut: 5 });
      sessions.leave(worker, i);
    }
    expect(sessions.totals()).toEqual({ pushes: 600, bytesIn: 1800, bytesOut: 3000, refused: { 'all-zero': 600 } });
  });
});

describe('admission', () => {
  it('[S1] is refused to an unknown run and to one that has ended', () => {
    const driver = driverOf();
    expect(driver.coordinator.refusal(asRunId('other'))).toBe('unknown-run');
    expect(driver.coordinator.refusal(RUN)).toBeNull();
    driver.operate('stop');
    expect(driver.coordinator.refusal(RUN)).toBe('run-ended');
  });

  it('[S2] is refused when as many workers are here as the run takes; who leaves makes room', () => {
    const driver = driverOf({ workersMax: 2 });
    driver.join('a', 'b');
    expect(driver.coordinator.refusal(RUN)).toBe('too-many-workers');
    driver.leave('a');
    expect(driver.coordinator.refusal(RUN)).toBeNull();
  });

  it('[S4] a coordinator takes 64 runs, and no two of one name', () => {
    const driver = new Driver(...Array.from({ length: RUNS_MAX }, (_, i) => tinyRun(asgd, { id: `run-${i}` })));
    expect(() => driver.send({ type: 'open', setup: tinyRun(asgd, { id: 'run-0' }) })).toThrow('"run-0" already');
    expect(() => driver.send({ type: 'open', setup: tinyRun(asgd, { id: 'one-more' }) })).toThrow('64 runs');
    expect(driver.coordinator.summaries(0)).toHaveLength(64);
  });

  it('[S4] a run that cannot be made leaves nothing behind', () => {
    const driver = new Driver();
    const bad = tinyRun(asgd, { hyperparameters: { momentum: 0.9 } });
    expect(() => driver.send({ type: 'open', setup: bad })).toThrow('no hyper-parameter "momentum"');
    expect(driver.coordinator.has(RUN)).toBe(false);
  });
});

describe('pause and stop', () => {
  it('[H5] while paused nothing new is leased, what is under way is taken in, and all are told', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.operate('pause');
    driver.operate('pause');
    expect(driver.controls).toEqual([{ type: 'control', run: RUN, worker: 'all', kind: 'pause' }]);
    expect(driver.summary().status).toBe('paused');
    const reply = driver.push('a', held, { wantsNext: true });
    expect(reply).toMatchObject({ outcome: 'applied', next: { kind: 'wait', reason: 'paused' } });
    expect(driver.pull('b')).toBeNull(); // held open
  });

  it('[H5] a worker that joins meanwhile is told too', () => {
    const driver = driverOf();
    driver.operate('pause');
    driver.join('late');
    expect(driver.controls.at(-1)).toMatchObject({ worker: 'late', kind: 'pause' });
  });

  it('[H5] on resume those who wait are served, in the order they came', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    driver.operate('pause');
    const requests = [driver.ask('b'), driver.ask('a')];
    driver.operate('resume');
    expect(requests.map((request) => driver.answers.get(request)?.held?.lease.id)).toEqual(['l1', 'l2']);
    expect(driver.controls.map(({ kind }) => kind)).toEqual(['pause', 'resume']);
  });

  it('[H6] a stop ends the run for good: leases go back, pulls are told, pushes are refused by name', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    const held = driver.lease('a');
    const done = driver.lease('a');
    driver.push('a', done);
    driver.operate('pause');
    const waiting = driver.ask('b');
    driver.operate('stop');
    expect(driver.answers.get(waiting)?.reply.next).toEqual({ kind: 'stop', reason: 'stopped' });
    expect(driver.pull('a')).toEqual({ kind: 'stop', reason: 'stopped' });
    const theta = driver.theta();
    expect(driver.push('a', held)).toMatchObject({
      outcome: 'rejected',
      reason: 'run-not-active',
      next: { kind: 'stop' },
    });
    expect(driver.push('a', done)).toMatchObject({ outcome: 'applied', repeated: true });
    expect(driver.theta()).toEqual(theta);
    driver.operate('resume');
    driver.operate('stop');
    expect(driver.summary().status).toBe('stopped');
    expect(driver.controls.filter(({ kind }) => kind === 'stop')).toHaveLength(1);
  });

  it('[H2] the silent workers of a run that has ended are gone too, and then there is nothing to wait for', () => {
    const driver = driverOf();
    driver.join('a', 'b');
    driver.operate('stop');
    driver.advance(89_000);
    expect(driver.summary().workers).toBe(2);
    driver.advance(3_000);
    expect(driver.summary().workers).toBe(0);
    expect(driver.coordinator.nextDeadlineMs()).toBeNull();
  });
});

describe('waiting', () => {
  it('[H7] a pull that cannot be served is held open for 10 s, and then told why', () => {
    const driver = driverOf();
    driver.join('a');
    driver.operate('pause');
    const request = driver.ask('a');
    driver.advance(9_999);
    expect(driver.answers.has(request)).toBe(false);
    driver.advance(1);
    expect(driver.answers.get(request)?.reply.next).toEqual({ kind: 'wait', reason: 'paused', retryAfterMs: 1000 });
  });

  it('[H7] one a worker: a newer pull sends the older one away', () => {
    const driver = driverOf();
    driver.join('a');
    driver.operate('pause');
    const [older, newer] = [driver.ask('a'), driver.ask('a')];
    expect(driver.answers.get(older)?.reply.next.kind).toBe('wait');
    driver.operate('resume');
    expect(driver.answers.get(newer)?.held).not.toBeNull();
  });

  it('[H7] one that nobody waits for any more takes no lease', () => {
    const driver = driverOf();
    driver.join('a');
    driver.operate('pause');
    const request = driver.ask('a');
    driver.send({ type: 'cancel', run: RUN, request });
    driver.operate('resume');
    expect(driver.answers.has(request)).toBe(false);
    expect(driver.row('a').leases).toBe(0);
  });

  it('[H3] one of a worker that leaves is answered', () => {
    const driver = driverOf();
    driver.join('a');
    driver.operate('pause');
    const request = driver.ask('a');
    driver.leave('a');
    expect(driver.answers.get(request)?.reply.next).toMatchObject({ kind: 'wait' });
  });

  it('[H7] when every sample left is leased to others, one that gives back serves one that waits', () => {
    const driver = new Driver(tinyRun(asgd, { shards: [8], config: { epochs: 1 } }));
    driver.join('a', 'b');
    const [first] = [driver.lease('a'), driver.lease('a')];
    const waiting = driver.ask('b');
    expect(driver.answers.has(waiting)).toBe(false);
    driver.release('a', first);
    expect(driver.answers.get(waiting)?.held?.lease.batches).toEqual(first.lease.batches);
  });

  it('[H7] in the order they came, and a replaced one goes to the end', () => {
    const parked = new ParkedPulls();
    const pull = (worker: string, request: number) => ({
      worker: asWorkerId(worker),
      request,
      untilMs: request * 10,
      reason: 'gate' as const,
    });
    expect(parked.nextDeadlineMs()).toBeNull();
    parked.park(pull('a', 1));
    parked.park(pull('b', 2));
    expect(parked.park(pull('a', 3))?.request).toBe(1);
    expect(parked.all().map(({ request }) => request)).toEqual([2, 3]);
    expect(parked.nextDeadlineMs()).toBe(20);
    parked.cancel(2);
    expect(parked.takeOf(asWorkerId('b'))).toBeUndefined();
    expect(parked.takeOf(asWorkerId('a'))?.request).toBe(3);
    expect(parked.size).toBe(0);
  });
});
