// The operator's page: a token first, then one run, live. Structure only: what it shows is in model.ts.

import 'uplot/dist/uPlot.min.css';
import './dashboard.css';
import { Button, Callout, Text } from '@radix-ui/themes';
import { useState } from 'react';
import { Icon } from '../page/icons.tsx';
import { Shell } from '../page/shell.tsx';
import { useStore } from '../page/store.ts';
import { Charts } from './charts.tsx';
import { Events } from './events.tsx';
import { Problems } from './health.tsx';
import { MethodCard } from './method-card.tsx';
import { actions, store } from './model.ts';
import { RunHeader } from './run-header.tsx';
import { SignIn } from './sign-in.tsx';
import { Tiles } from './tiles.tsx';
import { Workers } from './workers.tsx';

export default function DashboardPage() {
  const granted = useStore(store, (state) => state.access.state === 'granted');
  return (
    <Shell page="dashboard" aside={granted ? <Leave /> : <a href="/">Volunteer page</a>}>
      {granted ? <Board /> : <SignIn />}
    </Shell>
  );
}

function Leave() {
  return (
    <>
      <a href="/">Volunteer page</a>
      <Button variant="ghost" size="2" onClick={actions.signOut}>
        Sign out
      </Button>
    </>
  );
}

function Board() {
  const link = useStore(store, (state) => state.link);
  const known = useStore(store, (state) => state.run !== null);
  const noRuns = useStore(store, (state) => state.runs?.length === 0);
  return (
    <>
      <LinkBanner lost={link === 'lost'} />
      <Problems />
      {known ? (
        <div className={link === 'live' ? 'board' : 'board stale'}>
          <RunHeader />
          <Tiles />
          <Charts />
          <Workers />
          <Events />
          <MethodCard />
        </div>
      ) : (
        <Text as="p" color="gray" className="nothing" aria-live="polite">
          {noRuns ? 'The coordinator has no run. Start it with one to see it here.' : 'Waiting for the coordinator…'}
        </Text>
      )}
    </>
  );
}

function LinkBanner({ lost }: { lost: boolean }) {
  // Said once it has been lost, so that nothing is announced on a first visit.
  const [everLost, setEverLost] = useState(lost);
  if (lost && !everLost) setEverLost(true);
  if (!lost) {
    return (
      <p className="sr-only" role="status">
        {everLost ? 'The connection is back.' : ''}
      </p>
    );
  }
  return (
    <Callout.Root color="red" role="alert" className="link-banner">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <Callout.Text>
        The connection to the coordinator is lost: these are the last known figures. Trying again…
      </Callout.Text>
    </Callout.Root>
  );
}
