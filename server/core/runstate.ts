// What a run is: its parts, and all of them written down and put back. What it does is in run.ts.

import * as z from 'zod/mini';
import type { WorkerId } from '../../shared/ids.ts';
import { initialParams } from '../../shared/model/init.ts';
import { RUN_STATUSES, type RunStatus } from '../../shared/protocol/snapshots.ts';
import { isVec } from '../../shared/precision.ts';
import { rng } from '../../shared/rng.ts';
import { Aggregator, aggregatorFacts } from './aggregator.ts';
import { RunClock } from './clock.ts';
import { defenceFacts, RunDefences, type Here } from './defence/defences.ts';
import { Desk, deskFacts } from './desk.ts';
import { Evaluation, evaluationFacts } from './evaluation.ts';
import type { CoordinatorEvent, RunSetup } from './events.ts';
import { checked, count } from './facts.ts';
import { Ledger, ledgerFacts } from './ledger.ts';
import type { Votes } from './losslimit.ts';
import { Report, reportFacts } from './report.ts';
import { Rollback, rollbackFacts, type Copy } from './rollback.ts';
import { Sessions, sessionsFacts } from './sessions.ts';
import type { RunSnapshot } from './snapshot.ts';
import { elementsOf, type State } from './state.ts';

/** Of the facts: what another number has written is not read. */
const FORMAT = 1;
/** Of a copy to go back to, of which there are two: 256 MiB each, where a vector a worker may come to much more. */
const COPY_ELEMENTS_MAX = 2 ** 26;

const runFacts = z.strictObject({
  format: z.literal(FORMAT),
  boot: count,
  /** By the run's own clock. */
  atMs: z.number(),
  status: z.enum(RUN_STATUSES),
  aggregator: aggregatorFacts,
  ledger: ledgerFacts,
  sessions: sessionsFacts,
  desk: deskFacts,
  evaluation: evaluationFacts,
  report: reportFacts,
  rollback: rollbackFacts,
  defences: defenceFacts,
});
type RunFacts = z.infer<typeof runFacts>;
/** A run's beginning, or its going on. */
export type Opening = Omit<Extract<CoordinatorEvent, { type: 'open' }>, 'type'>;

export class RunState {
  /** As it was opened, but for the method: that of now. */
  setup: RunSetup;
  status: RunStatus = 'running';
  readonly clock: RunClock;
  readonly aggregator: Aggregator;
  readonly ledger: Ledger;
  readonly sessions = new Sessions();
  readonly report: Report;
  readonly desk: Desk;
  readonly evaluation: Evaluation;
  readonly defences: RunDefences;
  readonly rollback: Rollback;
  readonly #boot: number;

  /** Throws one sentence when the method's hyper-parameters do not fit, or the snapshot is not of this run. */
  constructor({ setup, snapshot, boot }: Opening, nowMs: number) {
    const facts = snapshot ? factsOf(snapshot, setup) : null;
    this.#boot = bootOf(facts, boot);
    this.clock = new RunClock(nowMs, facts?.atMs);
    this.setup = setup;
    const { config, method, layout, shardCounts, secret } = setup;
    const { batchSize, epochs, leases } = config;
    const random = rng(config.seed);
    this.ledger = new Ledger({ shards: shardCounts, batchSize, epochs, random: random.fork('data') });
    this.defences = new RunDefences(config, this.#here(), secret);
    this.aggregator = new Aggregator({
      method,
      config: config.method,
      theta: initialParams(layout, random.fork('params')),
      samplesPerEpoch: this.ledger.samplesPerEpoch,
      codec: config.codec.params,
      guard: this.defences.guard,
    });
    this.rollback = new Rollback(config.defences.rollback);
    this.evaluation = new Evaluation(config.evaluateEveryVersions, { guarded: this.rollback.on });
    this.report = new Report(this.clock.at(nowMs), () => this.#lossVotes());
    const { aggregator, ledger, sessions, report, defences } = this;
    const { lag } = config.defences;
    const around = { aggregator, ledger, sessions, report, defences };
    this.desk = new Desk({ config: leases, lag, boot: this.#boot, ...around });
    if (snapshot && facts) this.#restore(facts, snapshot);
    this.rollback.begin(() => this.copy());
  }

  #here(): Here {
    const { sessions } = this;
    return {
      present: (worker) => sessions.present(worker),
      get presentCount() {
        return sessions.presentCount;
      },
      lossOf: (worker) => sessions.find(worker as WorkerId)?.loss.value ?? null,
      heldOut: () => this.evaluation.validation?.loss ?? null,
    };
  }

  /** Of the workers that are trusted, and of held-out samples, nats: before they are measured, as of a network that guesses. */
  #lossVotes(): Votes {
    const heldOut = this.evaluation.validation?.loss ?? Math.log(this.setup.model.classes);
    return { heldOut, ...this.sessions.losses((worker) => this.defences.trusts(worker)) };
  }

  get ended(): boolean {
    return this.status === 'finished' || this.status === 'stopped';
  }

  /** What training has made so far, to go back to: a copy; of θ alone when the method remembers more than so many numbers. */
  copy(elementsMax = COPY_ELEMENTS_MAX): Copy {
    const { aggregator, sessions, desk } = this;
    const ledger = this.ledger.snapshot(desk.leased());
    const whole = elementsOf(aggregator.state()) <= elementsMax;
    return { aggregator: aggregator.snapshot(whole), ledger, workers: sessions.expected() };
  }

  /** All that the run is, its open leases void: a copy. Changes nothing. */
  snapshot(nowMs: number): RunSnapshot {
    const { facts: numbers, state } = this.aggregator.snapshot();
    const { facts: rollback, good } = this.rollback.snapshot();
    if (good) state.good = good;
    const facts: RunFacts = {
      format: FORMAT,
      boot: this.#boot,
      atMs: this.clock.at(nowMs),
      status: this.status,
      aggregator: numbers,
      ledger: this.ledger.snapshot(this.desk.leased()),
      sessions: this.sessions.snapshot(),
      desk: this.desk.snapshot(),
      evaluation: this.evaluation.snapshot(),
      report: this.report.snapshot(),
      rollback,
      defences: this.defences.snapshot(),
    };
    return { config: this.setup.config, version: numbers.version, ended: this.ended, facts, state };
  }

  /** Throws one sentence when it does not fit the run. */
  #restore(facts: RunFacts, { config, state }: RunSnapshot): void {
    const { good, ...live } = state;
    const { aggregator, ledger, rollback } = this;
    try {
      rollback.restore(facts.rollback, good === undefined ? null : memoryOf(aggregator, good));
      aggregator.restore({ facts: facts.aggregator, state: live });
      ledger.restore(facts.ledger);
    } catch (error) {
      throw new Error(`the snapshot of run "${config.id}" does not fit it: ${(error as Error).message}`);
    }
    this.sessions.restore(facts.sessions, facts.atMs);
    this.desk.restore(facts.desk);
    this.evaluation.restore(facts.evaluation);
    this.report.restore(facts.report);
    this.defences.restore(facts.defences);
    this.status = facts.status;
  }
}

/** Never one that was there before: leases are named by it. */
function bootOf(facts: RunFacts | null, boot: number | undefined): number {
  const least = facts ? facts.boot + 1 : 0;
  if (boot !== undefined && boot < least)
    throw new Error(`boot ${boot} is not the first of its number: expected ${least} or more`);
  return boot ?? least;
}

/** The facts of a snapshot for this run. Throws one sentence that names what is wrong. */
function factsOf({ facts, config }: RunSnapshot, setup: RunSetup): RunFacts {
  const what = `the snapshot of run "${config.id}"`;
  const { id, method } = setup.config;
  if (config.id !== id) throw new Error(`${what} is not of run "${id}"`);
  if (config.method.name !== method.name) {
    throw new Error(`${what} is of the method "${config.method.name}", and the run is opened with "${method.name}"`);
  }
  const format = (facts as { format?: unknown } | null)?.format;
  if (format !== FORMAT) throw new Error(`${what} has facts of format ${String(format)}, expected ${FORMAT}`);
  return checked(runFacts, facts, what);
}

/** The state of a good copy; it may be θ alone. */
function memoryOf(aggregator: Aggregator, good: State[string]): State {
  if (typeof good !== 'object' || isVec(good)) throw new Error('good is not a table');
  if (Object.hasOwn(good, 'outer')) return aggregator.fitting(good, 'good');
  return aggregator.fitting({ ...aggregator.state(), ...good }, 'good') && good;
}
