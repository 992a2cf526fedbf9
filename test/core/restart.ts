// A run that is stopped in the middle of random events, and gone on with by two coordinators: the one that had it, whose open
// leases were made void, and a fresh one that was given the snapshot. Both are played to the end by the same workers.

import type { Method } from '../../server/core/method.ts';
import { Driver, gradientAt, RUN, type Held } from './driver.ts';
import { Fuzz } from './fuzz.ts';

const WORKERS = ['a', 'b', 'c', 'd'];
const CHANGE_AFTER = 30;

export interface Both {
  /** Whose leases were made void. */
  readonly stayed: Driver;
  readonly resumed: Driver;
}

export interface Stop {
  readonly steps: number;
  readonly other?: Method;
  /** Of the method. */
  readonly values?: Readonly<Record<string, number | string>>;
}

/** Random events, then a stop. With `other`, the method was changed on the way. */
export function stopAndResume(method: Method, seed: number, { steps, other, values }: Stop): Both {
  const fuzz = new Fuzz(method, seed, values);
  const stayed = fuzz.driver;
  for (let i = 0; i < steps; i++) {
    if (other && i === CHANGE_AFTER) {
      const { weightDecay, schedule, learningRate } = stayed.coordinator.setup(RUN).config.method;
      const config = { name: other.name, learningRate, weightDecay, schedule };
      stayed.send({ type: 'method', run: RUN, method: other, config });
    }
    fuzz.step();
  }
  stayed.send({ type: 'tick' }); // what time alone has made due is over before the stop for both
  const snapshot = stayed.snapshot();
  const nowMs = 1_000_003 + seed;
  const resumed = Driver.resumed(stayed.coordinator.setup(RUN), snapshot, { nowMs, boot: 7 });
  makeVoid(stayed);
  return { stayed, resumed };
}

/** Every open lease goes back, in the order they were issued, and nobody is connected or waits. */
function makeVoid(driver: Driver): void {
  const { status } = driver.summary();
  driver.operate('pause');
  const asked = new Map<number, string>();
  for (const { event } of driver.log) {
    if (event.type === 'pull' || event.type === 'push') asked.set(event.request, event.worker);
  }
  for (const [request, { held }] of driver.answers) if (held) driver.release(asked.get(request)!, held);
  for (const request of asked.keys()) driver.send({ type: 'cancel', run: RUN, request });
  for (const worker of WORKERS) driver.away(worker);
  if (status === 'running') driver.operate('resume');
}

/** Honest work by everyone, each at its turn, until the run is over. */
export function playOn(driver: Driver): void {
  driver.operate('resume');
  driver.join(...WORKERS);
  const leases = new Map<string, Held[]>(WORKERS.map((worker) => [worker, []]));
  const asked = new Map<string, number>();
  for (let turn = 0; driver.summary().status === 'running'; turn++) {
    if (turn > 5000) throw new Error('the run does not end');
    const worker = WORKERS[turn % WORKERS.length]!;
    const held = leases.get(worker)!;
    const answered = driver.answers.get(asked.get(worker) ?? -1)?.held;
    if (answered && !held.includes(answered)) held.push(answered);
    asked.delete(worker);
    for (const one of held.splice(0)) driver.push(worker, one, { vector: gradientAt(one.params).map(Math.tanh) });
    asked.set(worker, driver.ask(worker));
    driver.advance(100);
  }
  while (driver.evaluations.length > 0) driver.evaluated();
}

/** What must not depend on whether a coordinator was stopped on the way. */
export function outcome(driver: Driver): object {
  const { status, version, samples, epoch, learningRate, method } = driver.summary();
  // Rates begin afresh, and are nothing to training.
  const workers = driver.coordinator.workers(RUN, driver.nowMs).map((row) => ({ ...row, samplesPerSecond: 0 }));
  const theta = [...new Uint32Array(driver.theta().buffer)];
  const { expired, reissued } = driver.coordinator.view(RUN, 0, driver.nowMs).leases;
  return {
    theta,
    status,
    version,
    samples,
    epoch,
    learningRate,
    method,
    workers,
    ledger: driver.coordinator.ledger(RUN),
    expired,
    reissued,
  };
}
