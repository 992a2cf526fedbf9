// Thousands of volunteers whom one restart of the coordinator has cut off, in virtual time: how soon, and how evenly, they
// are back.

import { expect, it } from 'vitest';
import { TimeHeap } from '../../shared/heap.ts';
import { rng } from '../../shared/rng.ts';
import type { VolunteerEvent } from '../../shared/volunteer/events.ts';
import { device, Rig, welcome } from './rig.ts';

const CLIENTS = 2_000;
/** What a connection, or a hello, takes; and how soon nobody listening is noticed. */
const EXCHANGE_MS = 40;
const REFUSED_MS = 5;
const DOWN_AT_MS = 1_000;

interface Told {
  readonly rig: Rig;
  readonly event: VolunteerEvent;
}

/** Milliseconds after its return at which the coordinator hears each volunteer's hello. */
function comeBack(downMs: number): number[] {
  const upAtMs = DOWN_AT_MS + downMs;
  const planned = new TimeHeap<Told>();
  const backMs = new Map<Rig, number>();
  const random = rng(`storm/${downMs}`);
  const answer = (rig: Rig): void => {
    for (const { type } of rig.effects) {
      const up = rig.nowMs >= upAtMs;
      const ms = random.next() * (up ? EXCHANGE_MS : REFUSED_MS);
      const tell = (event: VolunteerEvent): void => planned.push(rig.nowMs + ms, { rig, event });
      if (type === 'connect') tell(up ? { type: 'connected' } : { type: 'disconnected' });
      if (type === 'hello' && !backMs.has(rig)) {
        backMs.set(rig, rig.nowMs - upAtMs);
        tell({ type: 'welcome', welcome: welcome() });
      }
    }
    const dueMs = rig.machine.nextDeadlineMs();
    if (dueMs !== null && !backMs.has(rig)) planned.push(dueMs, { rig, event: { type: 'tick' } });
  };
  for (let i = 0; i < CLIENTS; i++) {
    const rig = new Rig({}, `volunteer/${i}`).tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    rig.tell({ type: 'connected' }).tell({ type: 'welcome', welcome: welcome() });
    planned.push(DOWN_AT_MS + REFUSED_MS * random.next(), { rig, event: { type: 'disconnected' } });
  }
  for (let next = planned.pop(); next !== undefined && backMs.size < CLIENTS; next = planned.pop()) {
    const { rig, event } = next.item;
    rig.nowMs = next.atMs;
    answer(rig.tell(event));
  }
  return [...backMs.values()];
}

it.each([200, 2_000, 5_000, 60_000])(
  '[V3] [P7] 2,000 volunteers are back within 15 s of a coordinator that was away for %i ms, evenly',
  (downMs) => {
    const back = comeBack(downMs);
    expect(back).toHaveLength(CLIENTS);
    expect(Math.min(...back)).toBeGreaterThanOrEqual(0);
    const lastMs = Math.max(...back);
    expect(lastMs).toBeLessThanOrEqual(15_000);
    const seconds = new Array<number>(Math.ceil(lastMs / 1000)).fill(0);
    for (const ms of back) seconds[Math.min(seconds.length - 1, Math.floor(ms / 1000))]! += 1;
    expect(Math.max(...seconds)).toBeLessThanOrEqual((3 * CLIENTS) / seconds.length);
  },
);
