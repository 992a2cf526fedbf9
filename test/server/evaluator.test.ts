// The evaluation thread when it breaks: what it was asked for fails with the reason, and the next question is answered by
// another thread.

import { expect, it } from 'vitest';
import { Evaluator, type EvaluatorSubject } from '../../server/adapters/evaluator.ts';

it('[E3] fails each question of a thread that breaks with that thread’s own reason', async () => {
  const evaluator = new Evaluator();
  evaluator.add({ run: 'broken', model: null } as unknown as EvaluatorSubject); // breaks every thread that hears of it
  const reason = (): Promise<string> =>
    evaluator.evaluate('broken', 'validation', new Float32Array(1)).then(
      () => 'it was measured',
      (error: Error) => error.message,
    );
  const first = await reason();
  const second = await reason(); // asked before the first thread's end has been heard
  expect(first).toMatch(/destructure/);
  expect(second).toBe(first);
  await evaluator.close();
});
