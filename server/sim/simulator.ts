// One simulated run: the real coordinator and real volunteer machines, a network and a fleet between and around them,
// virtual time, and real gradients. The same scenario gives the same row, bit for bit.

import { rng } from '../../shared/rng.ts';
import type { Vec } from '../../shared/vec.ts';
import type { CoordinatorEvent, RunSetup } from '../core/events.ts';
import type { Method } from '../core/method.ts';
import { Grapevine } from './byzantine.ts';
import { Clock } from './clock.ts';
import { Hub } from './hub.ts';
import { Machine } from './machine.ts';
import { Link } from './network.ts';
import { HeldNorms } from './norms.ts';
import { sampleOrder } from './order.ts';
import type { Figures, Problem } from './problems/problem.ts';
import type { CurvePoint, RunEnd, RunRow } from './row.ts';
import { configOf, type Scenario } from './scenario.ts';
import { Tally } from './tally.ts';
import { invite } from './visitor.ts';

/** A run that has computed this many times its samples comes to nothing: every push is refused. */
const WASTE_MAX = 20;
/** Virtual time without a push that counts, after which nobody is coming. */
const PATIENCE_MS = 3_600_000;

export interface SimulateOptions {
  /** At least those that the scenario names. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly problem: Problem;
  /** Sees every event just before the coordinator does. A push's vector is overwritten after. */
  readonly onEvent?: (event: CoordinatorEvent, nowMs: number) => void;
  /** θ after every push that counted: read only. */
  readonly onPush?: (theta: Vec) => void;
  /** The share of the samples counted so far, at the end of each epoch. */
  readonly onProgress?: (share: number) => void;
}

export async function simulate(scenario: Scenario, options: SimulateOptions): Promise<RunRow> {
  const run = new Simulation(scenario, options);
  return run.toTheEnd();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #options: SimulateOptions;
  readonly #clock = new Clock();
  readonly #tally = new Tally();
  readonly #grapevine = new Grapevine();
  readonly #hub: Hub;
  readonly #curve: CurvePoint[] = [];
  readonly #norms: HeldNorms | null;
  #lastPushMs = 0;
  /** Changes of the method made so far. */
  #changes = 0;

  constructor(scenario: Scenario, options: SimulateOptions) {
    const { problem, onEvent } = options;
    const random = rng(`simulation/${scenario.seed}`);
    const order = sampleOrder(scenario.fleet.order, problem.samples, random.fork('order'));
    const { model, layout, dataset } = problem;
    const { shardCounts } = order;
    const method = methodOf(scenario.method.name, options);
    const setup: RunSetup = { config: configOf(scenario), method, model, layout, dataset, shardCounts };
    this.#scenario = scenario;
    this.#options = options;
    this.#norms = scenario.heldNorms ? new HeldNorms(model, layout) : null;
    this.#hub = new Hub({ clock: this.#clock, setup, tally: this.#tally, problem, order, onEvent });
    for (let index = 0; index < scenario.workers; index++) this.#invite(index, setup.config.id, order);
  }

  async toTheEnd(): Promise<RunRow> {
    const { problem, onProgress, onPush } = this.#options;
    const tally = this.#tally;
    const total = problem.samples * this.#scenario.epochs;
    let counted = 0;
    for (let epoch = 0; tally.fault === null && counted < total;) {
      const step = this.#clock.step();
      if (step?.busy) await step.busy;
      if (step === null || this.#isHopeless(total)) tally.fault ??= 'stalled';
      if (tally.samples === counted) continue;
      counted = tally.samples;
      this.#lastPushMs = this.#clock.nowMs;
      this.#norms?.hold(this.#hub.params);
      onPush?.(this.#hub.params);
      this.#changeMethod(counted / problem.samples);
      if (counted < (epoch + 1) * problem.samples) continue;
      epoch = Math.floor(counted / problem.samples);
      await this.#measure(epoch);
      onProgress?.(counted / total);
    }
    const end: RunEnd = tally.fault ?? 'finished';
    if (end !== 'finished') await this.#measure(counted / problem.samples);
    return this.#row(end);
  }

  #invite(index: number, run: string, order: ReturnType<typeof sampleOrder>): void {
    const { fleet, seed } = this.#scenario;
    const random = rng(`simulation/${seed}/volunteer/${index}`);
    const machine = new Machine({
      index,
      fleet,
      problem: this.#options.problem,
      order,
      tally: this.#tally,
      clock: this.#clock,
      grapevine: this.#grapevine,
      random: random.fork('machine'),
    });
    const link = new Link(fleet.network, this.#clock, random.fork('link'));
    invite({ index, run, clock: this.#clock, hub: this.#hub, link, machine, fleet, random });
  }

  #changeMethod(epochs: number): void {
    const change = this.#scenario.changes?.[this.#changes];
    if (change === undefined || epochs < change.afterEpochs) return;
    this.#changes += 1;
    this.#hub.changeMethod(methodOf(change.method.name, this.#options), change.method);
  }

  #isHopeless(total: number): boolean {
    const wasted = this.#tally.computedSamples - this.#tally.samples;
    return wasted > WASTE_MAX * total || this.#clock.nowMs - this.#lastPushMs > PATIENCE_MS;
  }

  async #measure(epoch: number): Promise<void> {
    const { version, samples } = this.#hub.summary();
    const figures = await this.#options.problem.evaluate(this.#hub.params, 'validation');
    this.#curve.push({ epoch, samples, version, virtualTimeMs: this.#clock.nowMs, ...finite(figures) });
  }

  async #row(end: RunEnd): Promise<RunRow> {
    const { label, workers, seed, fleet, finalTest } = this.#scenario;
    const tally = this.#tally;
    const last = this.#curve.at(-1);
    const test = finalTest ? finite(await this.#options.problem.evaluate(this.#hub.params, 'test')) : null;
    return {
      method: label,
      workers,
      seed,
      fleet: fleet.name,
      finalAccuracy: last?.accuracy ?? null,
      finalLoss: last?.loss ?? null,
      lagMean: tally.lagMean,
      gapMean: tally.gapMean,
      virtualTimeMs: this.#clock.nowMs,
      samples: tally.samples,
      wastedSamples: tally.computedSamples - tally.samples + tally.unusedSamples,
      ...(tally.unusedSamples > 0 && { unusedSamples: tally.unusedSamples }),
      curve: this.#curve,
      end,
      version: this.#hub.summary().version,
      testAccuracy: test?.accuracy ?? null,
      testLoss: test?.loss ?? null,
      lags: tally.lags,
      gaps: tally.gaps,
      bans: this.#hub.bans(),
      rollbacks: this.#hub.summary().rollbacks,
      worstLossRatio: ratio(tally.worstLoss, tally.firstLoss),
      refused: tally.refused,
    };
  }
}

function methodOf(name: string, { methods }: SimulateOptions): Method {
  const method = methods.get(name);
  if (!method) throw new Error(`there is no method "${name}"`);
  return method;
}

const ratio = (worst: number | null, first: number | null): number | null =>
  worst === null || first === null || !Number.isFinite(worst) ? null : worst / first;

/** What is not finite is not a number that JSON or a plot could show. */
function finite({ loss, accuracy }: Figures): { loss: number | null; accuracy: number | null } {
  return { loss: Number.isFinite(loss) ? loss : null, accuracy };
}
