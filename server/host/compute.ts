// Carries the coordinator's wishes for something computed to the evaluator, and what comes of them back.

import type { Logger } from 'pino';
import type { Evaluator } from '../adapters/evaluator.ts';
import { UNCOMPARED } from '../core/defence/verdict.ts';
import type { Effect } from '../core/events.ts';
import type { Computed, Loop } from './loop.ts';

export interface ComputeOptions {
  readonly evaluator: Evaluator;
  readonly loop: Loop;
  readonly log: Logger;
}

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

export function compute(effect: Computed, options: ComputeOptions): void {
  switch (effect.type) {
    case 'evaluate':
      return evaluate(effect, options);
    case 'trust':
      return trust(effect, options);
    case 'recompute':
      return recompute(effect, options);
    default:
      effect satisfies never;
  }
}

function evaluate(
  { run, split, version, theta }: EffectOf<'evaluate'>,
  { evaluator, loop, log }: ComputeOptions,
): void {
  evaluator.evaluate(run, split, theta).then(
    ({ loss, accuracy }) => {
      log.info(
        { run, version, loss: Number(loss.toFixed(4)), accuracy: Number(accuracy.toFixed(4)) },
        `${split} measured`,
      );
      loop.dispatch({ type: 'evaluated', run, version, split, loss, accuracy });
    },
    (error: unknown) => {
      log.error({ run, err: error }, `${split} could not be measured`);
      loop.dispatch({ type: 'evaluation-failed', run, split });
    },
  );
}

function trust({ run, version, theta }: EffectOf<'trust'>, { evaluator, loop, log }: ComputeOptions): void {
  evaluator.trust(run, theta).then(
    (vector) => loop.dispatch({ type: 'trusted', run, version, vector }),
    (error: unknown) => {
      log.error({ run, err: error }, 'the gradient on held-out samples could not be taken');
      loop.dispatch({ type: 'trusted', run, version, vector: null });
    },
  );
}

function recompute(
  { run, check, worker, backend, lease, params, pushed, pushedLoss }: EffectOf<'recompute'>,
  { evaluator, loop, log }: ComputeOptions,
): void {
  const shards = new Map(lease.batches.map(({ shard }) => [shard, loop.shard(run, shard)]));
  evaluator.recompute(run, { lease, params, pushed, pushedLoss, codec: loop.pushCodec(run), shards }).then(
    (result) => {
      if (result?.same === false)
        log.warn({ run, worker, backend, lease: lease.id, ...result }, 'a spot check differs');
      loop.dispatch({ type: 'recomputed', run, check, ...(result ?? UNCOMPARED) });
    },
    (error: unknown) => {
      log.error({ run, lease: lease.id, err: error }, 'a lease could not be computed again');
      loop.dispatch({ type: 'recomputed', run, check, ...UNCOMPARED });
    },
  );
}
