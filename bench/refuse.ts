// What a push costs that is refused, from its frame to the reason, a MB, against a memcpy of the frame: nobody may be able to
// keep the coordinator busy with numbers that it does not want.

import { crc32 } from 'node:zlib';
import { Aggregator } from '../server/core/aggregator.ts';
import type { Method } from '../server/core/method.ts';
import type { MethodConfig } from '../shared/config.ts';
import { decodeFrame, encodeFrame, frameBytes, type FrameHeader } from '../shared/protocol/frame.ts';
import { rng } from '../shared/rng.ts';
import { race, table } from './timing.ts';

const PARAMETERS = 1_000_000;
const MB = 1e6;

interface Bad {
  readonly name: string;
  readonly header?: Partial<FrameHeader>;
  readonly fill?: (vector: Float32Array) => void;
  readonly damage?: (frame: Buffer) => Uint8Array;
}

const BAD: readonly Bad[] = [
  { name: 'all NaN', fill: (vector) => vector.fill(NaN) },
  { name: 'one NaN, the last', fill: (vector) => (vector[PARAMETERS - 1] = NaN) },
  { name: 'infinite', fill: (vector) => vector.fill(Infinity) },
  { name: '1e38', fill: (vector) => vector.fill(1e38) },
  { name: 'denormal', fill: (vector) => vector.fill(1e-42) },
  { name: 'zeros', fill: (vector) => vector.fill(0) },
  { name: 'another model’s', header: { layoutHash: 2 } },
  { name: 'another version’s', header: { baseVersion: 9 } },
  { name: 'half of it', damage: (frame) => frame.subarray(0, frame.length / 2) },
  {
    name: 'a bit turned',
    damage: (frame) => {
      frame[frame.length - 1]! ^= 1;
      return frame;
    },
  },
];

export async function benchRefusal(method: Method): Promise<string> {
  const random = rng('bench/refuse');
  const noise = Float32Array.from({ length: PARAMETERS }, () => random.normal());
  const config: MethodConfig = { name: method.name, learningRate: 0.01, weightDecay: 1e-4, schedule: {} };
  const aggregator = new Aggregator({ method, config, theta: noise.slice(), samplesPerEpoch: 1000, codec: 'f32' });
  const expected: FrameHeader = {
    ...{ kind: 'gradient', codec: 'f32', runKey: 1, baseVersion: 0, length: PARAMETERS, layoutHash: 1 },
  };
  const bytes = frameBytes(PARAMETERS, 'f32');
  const vector = new Float32Array(PARAMETERS);
  const sent = aggregator.pull('a');
  const reasons = new Map<string, string>();
  const refused = BAD.map(({ name, header, fill, damage }) => {
    const frame = Buffer.allocUnsafeSlow(bytes);
    const values = noise.slice();
    fill?.(values);
    encodeFrame(frame, { ...expected, ...header }, values, { crc32 });
    const body = damage?.(frame) ?? frame;
    const run = (): void => {
      const decoded = decodeFrame(vector, body, expected, crc32);
      if (!decoded.ok) return void reasons.set(name, decoded.error);
      const push = { worker: 'a', sent, vector, samples: 64, nowMs: 0 };
      const result = aggregator.push(push, { outstanding: 0 });
      if (result.outcome !== 'rejected') throw new Error(`${name}: the push was ${result.outcome}`);
      reasons.set(name, result.reason);
    };
    return { name, run };
  });
  const [from, to] = [Buffer.alloc(bytes, 1), Buffer.alloc(bytes)];
  const memcpy = { name: 'memcpy', run: () => void from.copy(to) };
  const times = await race([...refused, memcpy], { rounds: 31, warmups: 20 });
  const baseline = times.get('memcpy')!;
  const rows = refused.map(({ name }) => {
    const ms = times.get(name)!;
    return [name, reasons.get(name)!, (ms / (bytes / MB)).toFixed(3), (ms / baseline).toFixed(1)];
  });
  return table(['a push of', 'refused as', 'ms a MB', '÷ memcpy'], rows);
}
