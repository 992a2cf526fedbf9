// Every method at the length of a real network: with the WebAssembly kernels, and one pass a push, it comes to the bits
// that it comes to without, where nothing waits. A stage that touched a vector behind the pass's back would show here.

import { describe, expect, it } from 'vitest';
import { rng } from '../../shared/rng.ts';
import { withoutWebAssembly } from '../shared/without-webassembly.ts';
import { configOf } from './oracle.ts';

const load = async () => ({
  Aggregator: (await import('../../server/core/aggregator.ts')).Aggregator,
  methods: await (await import('../../server/registry.ts')).loadMethods(),
});
type Modules = Awaited<ReturnType<typeof load>>;

const slow = await withoutWebAssembly(load);
const fast = await load();

const DIM = 4200;
const WORKERS = 3;
const PUSHES = 24;

/** Workers take turns, each as many updates late as there are others. */
function play({ Aggregator, methods }: Modules, name: string, codec: 'f32' | 'f16') {
  const random = rng(`kernels/${name}`);
  const config = configOf(name, { learningRate: 0.05, weightDecay: 1e-3 });
  const theta = Float32Array.from({ length: DIM }, () => random.normal());
  const aggregator = new Aggregator({ method: methods.get(name)!, config, theta, samplesPerEpoch: 100, codec });
  const held = Array.from({ length: WORKERS }, (_, k) => aggregator.pull(`w${k}`));
  for (let i = 0; i < PUSHES; i++) {
    const worker = `w${i % WORKERS}`;
    const sent = held[i % WORKERS]!;
    const vector = sent.vector.map((x) => 0.1 * x + 0.01 * random.normal());
    const outstanding = WORKERS - 1 - (i % WORKERS); // who comes last ends the round, where there are rounds
    aggregator.push({ worker, sent, vector, samples: 4, nowMs: 1000 * i, sequence: i }, { outstanding });
    aggregator.release(sent);
    if (i === PUSHES - 6) aggregator.leave('w1');
    held[i % WORKERS] = aggregator.pull(worker);
  }
  return {
    version: aggregator.version,
    state: aggregator.state(),
    sent: held.map(({ vector, packed }) => ({ vector, packed })),
  };
}

describe.each([...fast.methods.keys()])('%s', (name) => {
  it.each(['f32', 'f16'] as const)('[T5] has the same bits with kernels and without, sending %s', (codec) => {
    const ours = play(fast, name, codec);
    expect(ours.version).toBeGreaterThan(1);
    expect(ours).toEqual(play(slow, name, codec));
  });
});
