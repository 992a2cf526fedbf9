// The four baselines against their equations in doubles: with and without momentum and weight decay, several workers,
// left to themselves for the whole trace.

import { describe, expect, it } from 'vitest';
import { playTrace, type TraceEvent } from '../../server/core/trace.ts';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import {
  configOf,
  difference,
  DIM,
  PRECISIONS,
  randomTrace,
  randomVector,
  startAt,
  WITHIN,
  type Precision,
} from './oracle.ts';
import { rng } from '../../shared/rng.ts';

const methods = await loadMethods();
const ETA = 0.02;
const settings = [0, 0.9].flatMap((momentum) => [0, 0.01].map((decay) => ({ momentum, decay })));
const zeros = (): number[] => new Array<number>(DIM).fill(0);

interface Setting {
  readonly momentum: number;
  readonly decay: number;
}

/** Plays a trace into the real code, and beside it into `model`: each left to itself, or step by step. */
function check(name: string, events: readonly TraceEvent[], values: object, model: Model): number {
  const { precision } = model;
  const config = configOf(name, { learningRate: ETA, ...values });
  const real = playTrace({ method: methodNamed(methods, name), config, params: startAt(2), events, precision });
  const pulled = new Map<string, { s: readonly number[]; version: number }>();
  let worst = 0;
  events.forEach((event, i) => {
    const { worker } = event;
    const result = real[i]!;
    if (event.type === 'pull') {
      const s = model.sent();
      worst = Math.max(worst, difference(result.params, s));
      pulled.set(worker, { s: model.follows ? result.params : s, version: result.version });
    } else if (event.type === 'push') {
      const { s, version } = pulled.get(worker)!;
      model.push(event.vector, s, model.version - version);
      worst = Math.max(worst, difference(result.params, model.theta));
      if (model.follows) model.theta = [...result.params];
      expect(result.version).toBe(model.version);
    }
  });
  return worst;
}

/** v ← γv + ĝ, θ ← θ − ηv; a pull gives θ − ηγv. */
class Model {
  theta = startAt(2);
  /** Of what it is held against; its own is doubles. */
  precision: Precision = 'float32';
  /** Go on from the real θ and sent vectors after each event: the momentum and the mean square stay its own. */
  follows = false;
  version = 0;
  v = zeros();
  readonly setting: Setting;
  readonly correct: (g: number[], s: readonly number[], lag: number) => number[];

  constructor(setting: Setting, correct: Model['correct'] = (g) => g) {
    this.setting = setting;
    this.correct = correct;
  }

  sent(): number[] {
    return this.theta.map((x, i) => x - ETA * this.setting.momentum * this.v[i]!);
  }

  push(g: readonly number[], s: readonly number[], lag: number): void {
    const decayed = g.map((x, i) => x + this.setting.decay * this.theta[i]!);
    const corrected = this.correct(decayed, s, lag);
    this.v = this.v.map((x, i) => this.setting.momentum * x + corrected[i]!);
    this.theta = this.theta.map((x, i) => x - ETA * this.v[i]!);
    this.version += 1;
    this.stepped();
  }

  stepped(): void {}
}

/** C = η(√(E/(1−Γⁿ)) + ε), ĝ = (g + wd·θ)/(1 + |θ − s|/C); then E ← ΓE + (1−Γ)v². */
class GapModel extends Model {
  e = zeros();
  n = 0;
  readonly gammaGap: number;

  constructor(setting: Setting, gammaGap: number) {
    super(setting, (g, s) => {
      if (this.n === 0) return g;
      const c = this.e.map((x) => ETA * (Math.sqrt(x / (1 - gammaGap ** this.n)) + 1e-8));
      return g.map((x, i) => x / (1 + Math.abs(this.theta[i]! - s[i]!) / c[i]!));
    });
    this.gammaGap = gammaGap;
  }

  override stepped(): void {
    this.n += 1;
    this.e = this.e.map((x, i) => this.gammaGap * x + (1 - this.gammaGap) * this.v[i]! ** 2);
  }
}

const traceOf = (seed: number, events = 600): TraceEvent[] => randomTrace(seed, { events, leaves: false });

describe.each(settings)('momentum $momentum, weight decay $decay', (setting) => {
  const { momentum, decay: weightDecay } = setting;

  it('[A2] asgd: g ← g + wd·θ, θ ← θ − ηg', () => {
    const model = new Model({ ...setting, momentum: 0 });
    expect(check('asgd', traceOf(11), { weightDecay }, model)).toBeLessThan(1e-5);
  });

  it('[A3] staleness-aware: ĝ = (g + wd·θ)/max(1, τ)', () => {
    const model = new Model(setting, (g, _s, lag) => g.map((x) => x / Math.max(1, lag)));
    expect(check('staleness-aware', traceOf(12), { weightDecay, momentum }, model)).toBeLessThan(1e-5);
  });

  it.each(PRECISIONS.flatMap((precision) => [0.999, 0.9, 0.5].map((gapDecay) => [gapDecay, precision] as const)))(
    '[A4] gap-aware with Γ = %s in %s',
    (gapDecay, precision) => {
      const model = new GapModel(setting, gapDecay);
      Object.assign(model, { precision, follows: precision === 'float32' });
      const values = { weightDecay, momentum, gapDecay };
      expect(check('gap-aware', traceOf(19), values, model)).toBeLessThan(WITHIN[precision]);
    },
  );

  it('[A4] gap-aware in float32, left to itself for 40 events', () => {
    for (const seed of [13, 14, 15, 16, 17, 18]) {
      const values = { weightDecay, momentum, gapDecay: 0.999 };
      expect(check('gap-aware', traceOf(seed, 40), values, new GapModel(setting, 0.999))).toBeLessThan(WITHIN.float32);
    }
  });

  it('[A5] ssgd: the mean over samples of a round’s gradients, then weight decay once', () => {
    const random = rng('rounds');
    const names = ['a', 'b', 'c'];
    const model = new Model(setting);
    const events: TraceEvent[] = [];
    const expected: number[][] = [];
    for (let round = 0; round < 100; round++) {
      for (const worker of names) {
        events.push({ type: 'pull', worker });
        expected.push(model.sent());
      }
      const pushes = names.map((worker) => {
        return { type: 'push' as const, worker, vector: randomVector(random), samples: 1 + random.below(4) };
      });
      const samples = pushes.reduce((sum, push) => sum + push.samples, 0);
      const mean = zeros().map(
        (_, i) => pushes.reduce((sum, push) => sum + push.samples * push.vector[i]!, 0) / samples,
      );
      pushes.forEach((push, i) => {
        events.push(push);
        if (i === names.length - 1) model.push(mean, [], 0);
        expected.push(model.theta);
      });
    }
    const config = configOf('ssgd', { learningRate: ETA, weightDecay, momentum });
    const real = playTrace({ method: methodNamed(methods, 'ssgd'), config, params: startAt(2), events });
    real.forEach(({ params }, i) => expect(difference(params, expected[i]!)).toBeLessThan(1e-5));
  });
});

describe('what must be the same', () => {
  const alone = randomTrace(4, { workers: 1, events: 300, leaves: false });
  const run = (name: string, events: readonly TraceEvent[], values: object) => {
    const config = configOf(name, { learningRate: ETA, weightDecay: 0.01, ...values });
    const results = playTrace({ method: methodNamed(methods, name), config, params: startAt(3), events });
    return results.map(({ params }) => params);
  };

  it('[A4] one worker without momentum has no gap: gap-aware is asgd, bit for bit', () => {
    expect(run('gap-aware', alone, { momentum: 0 })).toEqual(run('asgd', alone, {}));
  });

  it('[A3] a lag of at most one costs nothing: staleness-aware is asgd, bit for bit', () => {
    const lags: TraceEvent[] = Array.from({ length: 100 }, (_, i): TraceEvent[] => {
      const worker = `w${i % 2}`; // two in turn: each misses the other's one update
      return [
        { type: 'push', worker, vector: randomVector(rng(`v${i}`)) },
        { type: 'pull', worker },
      ];
    }).flat();
    const events: TraceEvent[] = [{ type: 'pull', worker: 'w0' }, { type: 'pull', worker: 'w1' }, ...lags];
    expect(run('staleness-aware', events, { momentum: 0 })).toEqual(run('asgd', events, {}));
  });

  it('[A5] one worker in rounds of one is asgd, but for the rounding of samples·g/samples', () => {
    const once = alone.filter((event, i) => event.type !== 'pull' || alone[i + 1]?.type !== 'pull');
    const expected = run('asgd', once, {});
    run('ssgd', once, { momentum: 0 }).forEach((params, i) => {
      expect(difference(params, expected[i]!)).toBeLessThan(1e-6);
    });
  });

  it('[A4] a gap costs: eight workers’ gradients count for less than alone, and never for nothing', () => {
    const events = randomTrace(6, { workers: 8, events: 200, leaves: false });
    const step = (name: string): number[] => {
      const params = run(name, events, { weightDecay: 0, ...(name === 'asgd' ? {} : { momentum: 0 }) }).filter(
        (_, i) => events[i]!.type === 'push',
      );
      return params.slice(1).map((theta, i) => Math.hypot(...theta.map((x, j) => x - params[i]![j]!)));
    };
    const [plain, gap] = [step('asgd'), step('gap-aware')];
    gap.forEach((length, i) => {
      expect(length).toBeLessThanOrEqual(plain[i]! * (1 + 1e-5));
      expect(length).toBeGreaterThan(0.02 * plain[i]!);
    });
  });
});
