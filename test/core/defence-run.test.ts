// The defences within a run: what a push counts for, who is banned and what that means, from outside.

import { describe, expect, it } from 'vitest';
import asgd from '../../server/methods/asgd.ts';
import danaZero from '../../server/methods/dana-zero.ts';
import { NO_DEFENCES } from '../../shared/config.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Defended } from './defended.ts';
import { DEVICE, Driver, gradientAt, RUN, tinyRun } from './driver.ts';

const unit = [1, 0, 0, 0, 0, 0];
const turned = unit.map((x) => -x);

describe('what a push counts for', () => {
  it('[G1] longer ones than 1.5 times the usual are cut to that, and counted', () => {
    const driver = new Defended({ clip: 1.5 });
    driver.join('a', 'b');
    for (let i = 0; i < 3; i++)
      for (const worker of ['a', 'b']) expect(driver.weightOf(worker, unit)).toBeCloseTo(1, 5);
    expect(
      driver.weightOf(
        'a',
        unit.map((x) => 6 * x),
      ),
    ).toBeCloseTo(0.25, 5);
    expect([driver.row('a'), driver.row('b')].map(({ standing }) => standing.clipped)).toEqual([1, 0]);
  });

  it('[G1] a run’s first pushes are held to three times the trusted gradient', () => {
    const driver = new Defended({ clip: 1.5, probation: { pushes: 1, weight: 1 } });
    driver.join('a');
    driver.trusted(Float32Array.of(2, 0, 0, 0, 0, 0));
    expect(
      driver.weightOf(
        'a',
        unit.map((x) => 60 * x),
      ),
    ).toBeCloseTo(0.1, 5);
    expect(
      driver.weightOf(
        'a',
        unit.map((x) => 5 * x),
      ),
    ).toBeCloseTo(1, 5);
  });

  it('[G2] the first pushes of a worker count a part, and nothing when they point the wrong way, which ends no trial', () => {
    const driver = new Defended({ probation: { pushes: 4, weight: 0.2 } });
    driver.join('a');
    driver.trusted(Float32Array.from(unit));
    const weights = [unit, turned, unit, unit, unit, turned].map((vector) => driver.weightOf('a', vector));
    [0.2, 0, 0.2, 0.2, 0.2, 1].forEach((weight, i) => expect(weights[i]).toBeCloseTo(weight, 5));
    expect(driver.row('a').standing.level).toBe('trusted');
    expect(driver.row('a').pushes).toBe(6);
  });

  it('[G2] at the beginning of a run they count by their cosine, and nothing before there is one', () => {
    const driver = new Defended({ probation: { pushes: 200, weight: 0.2 } });
    driver.join('a');
    expect(driver.weightOf('a', unit)).toBe(0);
    driver.trusted(Float32Array.from(unit));
    const aslant = [3, 4, 0, 0, 0, 0];
    expect(driver.weightOf('a', aslant)).toBeCloseTo(0.2 * 0.6, 5);
    for (let i = 0; i < 98; i++) driver.weightOf('a', unit);
    expect(driver.weightOf('a', aslant)).toBeCloseTo(0.2, 5);
  });

  it('[G2] [G5] without a trusted gradient they all count that part', () => {
    const driver = new Defended({ probation: { pushes: 4, weight: 0.2 } });
    driver.join('a');
    for (let i = 0; i < 3; i++) driver.trusted(Float32Array.of(NaN, 0, 0, 0, 0, 0));
    expect(driver.row('a').standing.level).toBe('newcomer');
    expect(driver.weightOf('a', turned)).toBeCloseTo(0.2, 5);
  });

  it('[G3] [P21] one that floods moves θ by 2/n of what all do', () => {
    const driver = new Defended({ influence: 2 });
    driver.join('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    const moved = { flooder: 0, others: 0 };
    for (let turn = 0; turn < 40; turn++) {
      for (const worker of ['b', 'c', 'd', 'e', 'f', 'g', 'h'])
        moved.others += turn < 4 ? 0 : driver.weightOf(worker, unit);
      for (let i = 0; i < 10; i++) moved.flooder += turn < 4 ? 0 : driver.weightOf('a', unit);
    }
    expect(moved.flooder / (moved.flooder + moved.others)).toBeLessThan(2 / 8 + 0.02);
    expect(driver.row('a').standing.influence).toBeCloseTo(2, 0);
    expect(driver.row('a').standing.clipped).toBeGreaterThan(100);
  });

  it('[P18] what is refused is counted by its own reason, and leaves every bit as it was', () => {
    const driver = new Defended({ clip: 1.5, influence: 2, probation: { pushes: 12, weight: 0.2 } });
    driver.join('a');
    for (let i = 0; i < 5; i++) driver.weightOf('a', unit);
    const before = driver.theta();
    const bad: [number, string][] = [[NaN, 'not-finite'], [Infinity, 'not-finite'], [1e38, 'too-large'], [1e-42, 'too-small'], [0, 'all-zero']]; // prettier-ignore
    for (const [x, reason] of bad) {
      expect(driver.push('a', driver.lease('a'), { vector: new Float32Array(6).fill(x) })).toMatchObject({ reason });
    }
    expect(driver.theta()).toEqual(before);
    expect(driver.row('a').refused).toEqual({ 'not-finite': 2, 'too-large': 1, 'too-small': 1, 'all-zero': 1 });
    expect(driver.row('a').standing.clipped).toBe(0);
  });
});

describe('a ban', () => {
  it('[G7] takes leases back, refuses pushes and work, cuts the worker off, and says why', () => {
    const driver = new Defended({});
    driver.join('a', 'b');
    const held = driver.lease('a');
    driver.ban('a');
    expect(driver.of('cut')).toEqual([{ type: 'cut', run: RUN, worker: 'a' }]);
    expect(driver.notes.at(-1)).toBe('for a reason');
    expect(driver.row('a')).toMatchObject({
      state: 'gone',
      leases: 0,
      standing: { level: 'banned', banned: 'for a reason' },
    });
    const before = driver.theta();
    expect(driver.push('a', held)).toMatchObject({ outcome: 'rejected', reason: 'banned' });
    expect(driver.push('a', held, { wantsNext: true }).next).toEqual({ kind: 'stop', reason: 'banned' });
    expect(driver.pull('a')).toEqual({ kind: 'stop', reason: 'banned' });
    expect(driver.theta()).toEqual(before);
    expect(driver.row('a').state).toBe('gone'); // whatever it says
    // its work is somebody else's
    expect(driver.lease('b').lease.batches).toEqual(held.lease.batches);
  });

  it('[G7] answers a pull that is held open', () => {
    const driver = new Defended({});
    driver.join('a');
    driver.operate('pause');
    const request = driver.ask('a');
    expect(driver.answers.has(request)).toBe(false);
    driver.ban('a');
    expect(driver.answers.get(request)!.reply.next.kind).not.toBe('lease');
  });

  it('[G7] refuses its hello, and cuts off a connection that it opens', () => {
    const driver = new Defended({});
    driver.join('a', 'b');
    driver.ban('a');
    expect(driver.coordinator.refusal(RUN, asWorkerId('a'))).toBe('banned');
    expect(driver.coordinator.refusal(RUN, asWorkerId('b'))).toBeNull();
    driver.send({ type: 'join', run: RUN, worker: asWorkerId('a'), name: 'a', device: DEVICE });
    expect(driver.of('cut')).toHaveLength(2);
    expect(driver.summary().workers).toBe(1);
  });

  it('[G7] takes what methods remember of the worker, and ends nothing for the others', () => {
    const driver = new Defended({}, danaZero);
    driver.join('a', 'b');
    for (const worker of ['a', 'b', 'a', 'b']) driver.push(worker, driver.lease(worker));
    const remembered = (): string[] => {
      const { workers } = driver.coordinator.snapshot(RUN, driver.nowMs).state['outer'] as { workers: object };
      return Object.keys(workers);
    };
    expect(remembered()).toEqual(['a', 'b']);
    driver.ban('a');
    expect(remembered()).toEqual(['b']);
    expect(driver.push('b', driver.lease('b')).outcome).toBe('applied');
    driver.ban('b');
    expect(driver.summary().status).toBe('running'); // nobody is left, and others may come
  });

  it('[G7] is lifted: the worker begins anew', () => {
    const driver = new Defended({ probation: { pushes: 2, weight: 0.5 } });
    driver.join('a');
    driver.trusted(Float32Array.from(unit));
    for (let i = 0; i < 3; i++) driver.weightOf('a', unit);
    driver.ban('a');
    driver.send({ type: 'unban', run: RUN, worker: asWorkerId('a') });
    driver.join('a');
    expect(driver.row('a').standing).toMatchObject({ level: 'newcomer', banned: null });
    expect(driver.weightOf('a', unit)).toBeCloseTo(0.5, 5);
  });

  it('[G4] comes of a score, before the next lease is handed out', () => {
    const driver = new Defended({ score: { below: 0.25, window: 40, least: 12 } });
    driver.join('a', 'x');
    driver.trusted(Float32Array.from(unit));
    for (let i = 0; i < 23; i++) driver.weightOf('x', [-1, 0.1, 0, 0, 0, 0]);
    const held = driver.lease('x');
    expect(driver.push('x', held, { vector: Float32Array.of(-1, 0, 0, 0, 0, 0), wantsNext: true })).toMatchObject({
      outcome: 'applied',
      next: { kind: 'stop', reason: 'banned' },
    });
    expect(driver.row('x').standing.banned).toMatch(/their mean cosine is −?-?1.00, it should be above 0/);
    expect(driver.of('cut')).toHaveLength(1);
  });

  it('[G4] comes of no score while the workers know their samples by heart', () => {
    const driver = new Defended({ score: { below: 0.25, window: 40, least: 12 } }, asgd, { evaluateEveryVersions: 10 });
    driver.join('a', 'x');
    driver.trusted(Float32Array.from(unit));
    const turned = (pushes: number, heldOut: number): string | null => {
      for (let i = 0; i < pushes; i++) {
        driver.push('x', driver.lease('x'), { vector: Float32Array.of(-1, 0.1, 0, 0, 0, 0), loss: 0.1 });
        while (driver.evaluations.length > 0) driver.evaluated({ loss: heldOut, accuracy: 0.5 });
        if (driver.row('x').standing.banned !== null) break;
      }
      return driver.row('x').standing.banned;
    };
    expect(turned(11, 0.5)).toBeNull();
    expect(turned(80, 0.5)).toBeNull();
    expect(turned(80, 0.3)).toMatch(/mean cosine/);
  });
});

describe('whether the samples are known by heart', () => {
  const heldOut = { loss: 0.5, accuracy: 0.5 };
  /** Three that are trusted, six newcomers that say something else, and one that turns its pushes round: why it is banned. */
  const banned = (says: { trusted: number | null; newcomers: number }): string | null => {
    const defences = { score: { below: 0.25, window: 40, least: 12 }, probation: { pushes: 12, weight: 0.2 } };
    const driver = new Defended(defences, asgd, { evaluateEveryVersions: 10 });
    const newcomers = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
    const trusted = says.trusted === null ? [] : ['a', 'b', 'c'];
    const push = (worker: string, vector: number[], loss: number): void => {
      driver.push(worker, driver.lease(worker), { vector: Float32Array.from(vector), loss });
      while (driver.evaluations.length > 0) driver.evaluated(heldOut);
    };
    driver.join(...trusted, ...newcomers, 'x');
    driver.trusted(Float32Array.from(unit));
    for (let i = 0; i < 12; i++) for (const worker of trusted) push(worker, unit, says.trusted!);
    for (let i = 0; i < 4; i++) for (const worker of newcomers) push(worker, unit, says.newcomers);
    for (let i = 0; i < 48 && driver.row('x').standing.banned === null; i++) push('x', turned, 0.5);
    return driver.row('x').standing.banned;
  };

  it('[G4] [P22] is not what newcomers say: half of all that say 0 switch no score off', () => {
    expect(banned({ trusted: null, newcomers: 0 })).toMatch(/mean cosine/);
    expect(banned({ trusted: 0.5, newcomers: 0 })).toMatch(/mean cosine/);
  });

  it('[G4] is what the trusted say, whatever newcomers do', () => {
    expect(banned({ trusted: 0.1, newcomers: 9 })).toBeNull();
  });
});

describe('a snapshot', () => {
  it('[G9] has the standing of all: what comes next counts as it would have', () => {
    const run = (stopAfter: number): [Float32Array, unknown] => {
      const defences = { ...NO_DEFENCES, clip: 1.5, probation: { pushes: 5, weight: 0.2 }, influence: 2 };
      let driver = new Driver(tinyRun(asgd, { config: { defences, epochs: 100 } }));
      const workers = ['a', 'b', 'c', 'd'];
      driver.join(...workers);
      driver.send({ type: 'ban', run: RUN, worker: asWorkerId('d'), reason: 'why' });
      for (let i = 0; i < 60; i++) {
        if (i === stopAfter) {
          driver = Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot());
          driver.join('a', 'b', 'c');
        }
        const worker = i % 2 === 0 ? 'a' : i % 4 === 1 ? 'b' : 'c';
        const held = driver.lease(worker);
        driver.push(worker, held, { vector: gradientAt(held.params).map((g) => g * (i % 7 === 0 ? 4 : 1)) });
      }
      return [driver.theta(), workers.map((worker) => driver.row(worker).standing)];
    };
    const whole = run(Infinity);
    expect(run(31)).toEqual(whole);
    expect(run(7)).toEqual(whole);
  });
});
