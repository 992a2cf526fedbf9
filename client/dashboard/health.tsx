// How the coordinator is: one quiet line while all is well, and a banner for each thing that is not.

import { Callout, Text } from '@radix-ui/themes';
import type { Health, Problem } from '../../shared/protocol/snapshots.ts';
import { milliseconds } from '../page/format.ts';
import { Hint } from '../page/figures.tsx';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { checkpointText, healthTitle, isSevere, problemSince, problemTitle, uptimeText } from './health-words.ts';
import { store } from './model.ts';

export function Problems() {
  const problems = useStore(store, (state) => state.health?.problems);
  // The list is there before the first problem, so that a screen reader says what comes into it.
  return (
    <div role="status" className="problems">
      {problems?.map((problem) => (
        <Banner key={problem.kind} problem={problem} />
      ))}
    </div>
  );
}

function Banner({ problem }: { problem: Problem }) {
  return (
    <Callout.Root color={isSevere(problem) ? 'red' : 'amber'}>
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <Callout.Text>
        <strong>{problemTitle(problem)}.</strong> {problem.text} <span aria-hidden="true">{problemSince(problem)}</span>
      </Callout.Text>
    </Callout.Root>
  );
}

export function HealthLine() {
  const health = useStore(store, (state) => state.health);
  const run = useStore(store, (state) => state.runId);
  const lost = useStore(store, (state) => state.link === 'lost');
  if (health === null || run === null || lost) return null;
  const saved = checkpointText(health, run);
  return (
    <Text as="p" size="2" color="gray" className="health">
      <span className={health.problems.length === 0 ? 'well' : 'unwell'}>{healthTitle(health)}</span>
      {saved !== null && <span>{saved}</span>}
      <span>{uptimeText(health)}</span>
      <Delay health={health} />
    </Text>
  );
}

function Delay({ health: { eventLoopDelayMs } }: { health: Health }) {
  if (eventLoopDelayMs === 0) return null;
  return (
    <span>
      <Hint text="How late the coordinator turns to what is due: 99 of 100 times in the last minute it was less">
        Delay
      </Hint>{' '}
      {milliseconds(eventLoopDelayMs)}
    </span>
  );
}
