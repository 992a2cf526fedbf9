// The run so far: what is trained on what, how far it is, and its curves.

import { Badge, Card, Heading, Progress, Skeleton, Text } from '@radix-ui/themes';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { Figure, Figures } from '../page/figures.tsx';
import { count, loss, percent } from '../page/format.ts';
import { useStore } from '../page/store.ts';
import { datasetTitle, epochText, modelTitle, progressOf, statusTitle } from '../page/words.ts';
import { Curve } from './curve.tsx';
import { store } from './model.ts';
import { isStale } from './state.ts';

export function RunCard() {
  const run = useStore(store, (state) => state.run);
  const loading = useStore(store, (state) => state.link === 'loading');
  const stale = useStore(store, isStale);
  if (run === null) return loading ? <Waiting /> : null;
  return (
    <Card size="3" asChild>
      <section aria-labelledby="run-title" className={stale ? 'stale' : ''}>
        <div className="card-head">
          <Heading as="h2" size="5" id="run-title">
            {run.name}
          </Heading>
          <RunBadge run={run} stale={stale} />
        </div>
        <Figures>
          <Accuracy run={run} />
          <Figure label="Volunteers now" value={count(run.workers)} large />
        </Figures>
        <RunProgress run={run} />
        <Curve />
        <Facts run={run} />
      </section>
    </Card>
  );
}

function RunBadge({ run, stale }: { run: RunSummary; stale: boolean }) {
  if (stale) {
    return (
      <Badge size="2" color="amber">
        <span role="status">Last known figures</span>
      </Badge>
    );
  }
  return (
    <Badge size="2" color={run.status === 'running' ? 'teal' : run.status === 'paused' ? 'amber' : 'gray'}>
      {statusTitle(run.status)}
    </Badge>
  );
}

/** The test set is measured once, at the end; until then the validation split stands for it. */
function Accuracy({ run }: { run: RunSummary }) {
  if (run.test !== null) {
    return <Figure label="Final accuracy" hint="Of the published test set" value={percent(run.test.accuracy)} large />;
  }
  const hint = 'Share of right answers on pictures that are kept out of training';
  return <Figure label="Accuracy so far" hint={hint} value={percent(run.accuracy)} large />;
}

function RunProgress({ run }: { run: RunSummary }) {
  const share = progressOf(run);
  return (
    <div className="run-progress">
      <div className="ends">
        <Text size="2">{epochText(run)}</Text>
        <Text size="2" color="gray">
          {percent(share, share < 0.1 ? 1 : 0)} of the run
        </Text>
      </div>
      <Progress value={share * 100} size="2" aria-label="Progress of the run" />
    </div>
  );
}

function Facts({ run }: { run: RunSummary }) {
  const facts: readonly [string, string][] = [
    ['Data set', datasetTitle(run.dataset)],
    ['Model', modelTitle(run.model)],
    ['Parameters', count(run.parameters)],
    ['Training loss', loss(run.loss.train)],
    ['Validation loss', loss(run.loss.validation)],
    ['Updates so far', count(run.version)],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Waiting() {
  return (
    <Card size="3" aria-busy="true">
      <Skeleton height="28px" width="60%" />
      <Skeleton height="48px" mt="4" />
      <Skeleton height="140px" mt="4" />
    </Card>
  );
}
