// The heap against sorting.

import { expect, it } from 'vitest';
import { TimeHeap } from '../../shared/heap.ts';
import fc from '../property.ts';

it('[T5] gives things back by time, and in the order they came where times are equal', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const heap = new TimeHeap<number>();
      times.forEach((time, i) => heap.push(time, i));
      expect(heap.size).toBe(times.length);
      const out: (readonly [number, number])[] = [];
      for (let first = heap.pop(); first; first = heap.pop()) out.push([first.atMs, first.item]);
      const expected = times.map((time, i) => [time, i] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(out).toEqual(expected);
      expect(heap.size).toBe(0);
    }),
  );
});

it('[T5] pushes between pops keep the order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50), { nil: null })), (steps) => {
      const heap = new TimeHeap<number>();
      const model: { time: number; i: number }[] = [];
      steps.forEach((time, i) => {
        if (time !== null) {
          heap.push(time, i);
          model.push({ time, i });
          return;
        }
        model.sort((a, b) => a.time - b.time || a.i - b.i);
        expect(heap.peek()?.item).toBe(model[0]?.i);
        expect(heap.pop()?.item).toBe(model.shift()?.i);
      });
    }),
  );
});
