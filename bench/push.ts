// What one push costs the coordinator, stage by stage, against a memcpy of the arrays that it must touch anyway: the
// frame that comes in, θ, the sent vector, momentum, mean square, and the frame that goes out.

import { crc32 } from 'node:zlib';
import { Aggregator } from '../server/core/aggregator.ts';
import type { Method } from '../server/core/method.ts';
import type { MethodConfig } from '../shared/config.ts';
import { decodeFrame, encodeFrame, frameBytes, type CodecName, type FrameHeader } from '../shared/protocol/frame.ts';
import { rng } from '../shared/rng.ts';
import type { Vec } from '../shared/vec.ts';
import { race, table, type Contender } from './timing.ts';

const SIZES = [57_000, 110_000, 1_000_000];
/** Arrays of P floats that one gap-aware push reads or writes at least once. */
const ARRAYS_TOUCHED = 6;

export async function benchPush(method: Method): Promise<string> {
  const rows: string[][] = [];
  for (const codec of ['f32', 'f16'] as const) for (const dim of SIZES) rows.push(await measure(method, dim, codec));
  const head = [
    'codec, parameters',
    'bytes in + out',
    'decode ms',
    'screen, correct, apply ms',
    'view, encode ms',
    'push ms',
    'memcpy ms',
    'push ÷ memcpy',
  ];
  return table(head, rows);
}

async function measure(method: Method, dim: number, codec: CodecName): Promise<string[]> {
  const random = rng(`bench/${dim}`);
  const config: MethodConfig = { name: method.name, learningRate: 0.01, weightDecay: 1e-4, schedule: {} };
  const aggregator = new Aggregator({ method, config, theta: noise(dim, random, 0.1), samplesPerEpoch: 1000, codec });
  const header: FrameHeader = { kind: 'gradient', codec, runKey: 1, baseVersion: 0, length: dim, layoutHash: 1 };
  const frameIn = Buffer.allocUnsafeSlow(frameBytes(dim, codec));
  encodeFrame(frameIn, header, noise(dim, random, 0.01), { crc32 });
  const frameOut = Buffer.allocUnsafeSlow(frameBytes(dim, codec));
  const vector = new Float32Array(dim);
  // A worker that is always one version behind, as one that overlaps exchange and compute is.
  let [older, newer] = [aggregator.pull('a'), aggregator.pull('a')];

  const decode = (): void => {
    if (!decodeFrame(vector, frameIn, header, crc32).ok) throw new Error('the frame does not decode');
  };
  const apply = (): void => {
    const { outcome } = aggregator.push(
      { worker: 'a', sent: older, vector, samples: 64, nowMs: 0 },
      { outstanding: 0 },
    );
    if (outcome !== 'applied') throw new Error(`the push was ${outcome}`);
    aggregator.release(older);
    older = newer;
  };
  const reply = (): void => {
    newer = aggregator.pull('a');
    encodeFrame(frameOut, { ...header, kind: 'params', baseVersion: newer.version }, newer.vector, {
      crc32,
      packed: newer.packed,
    });
  };
  const stages: Contender[] = [
    { name: 'decode', run: decode },
    { name: 'apply', run: apply },
    { name: 'reply', run: reply },
    { name: 'memcpy', run: memcpyOf(dim) },
  ];
  const times = await race(stages, { rounds: 61, warmups: 40 }); // warm: a coordinator runs for days
  const of = (name: string): number => times.get(name)!;
  const push = of('decode') + of('apply') + of('reply');
  const bytes = 2 * frameBytes(dim, codec);
  const ms = (value: number): string => value.toFixed(3);
  return [
    `${codec}, ${dim.toLocaleString('en')}`,
    bytes.toLocaleString('en'),
    ms(of('decode')),
    ms(of('apply')),
    ms(of('reply')),
    ms(push),
    ms(of('memcpy')),
    (push / of('memcpy')).toFixed(1),
  ];
}

function memcpyOf(dim: number): () => void {
  const from = Array.from({ length: ARRAYS_TOUCHED }, () => new Float32Array(dim).fill(1));
  const to = from.map(() => new Float32Array(dim));
  return () => to.forEach((array, i) => array.set(from[i]!));
}

function noise(dim: number, random: { normal(): number }, scale: number): Vec {
  return Float32Array.from({ length: dim }, () => scale * random.normal());
}
