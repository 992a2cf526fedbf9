// The volunteer's page: says what the run is, what will be used, and has one button. Structure only: what it shows is in
// model.ts, what it says in phases.ts.

import './volunteer.css';
import { Shell } from '../page/shell.tsx';
import { useStore } from '../page/store.ts';
import { ContributionCard } from './contribution-card.tsx';
import { Hero } from './hero.tsx';
import { InvitationCard } from './invitation-card.tsx';
import { store } from './model.ts';
import { Promises } from './promises.tsx';
import { RunCard } from './run-card.tsx';

export default function VolunteerPage() {
  const begun = useStore(store, (state) => state.view !== null);
  const nothing = useStore(store, (state) => state.run === null && state.link !== 'loading');
  return (
    <Shell page="volunteer" aside={<a href="/admin">For operators</a>}>
      <Hero />
      <div className="cards">
        <div>
          {begun ? <ContributionCard /> : <InvitationCard />}
          {!nothing && <Promises />}
        </div>
        {nothing ? <Promises /> : <RunCard />}
      </div>
    </Shell>
  );
}
