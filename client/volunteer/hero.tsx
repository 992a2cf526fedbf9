// The top of the volunteer's page: what this is, in one sentence, and the flock: one bird is lit for each volunteer.

import { Heading, Text } from '@radix-ui/themes';
import { flock } from '../page/flock.ts';
import { useStore } from '../page/store.ts';
import { datasetSubject, modelTitle } from '../page/words.ts';
import { store } from './model.ts';
import { companyText, phaseWords } from './phases.ts';
import { isContributing, type VolunteerState } from './state.ts';

const BIRDS = flock(150);

interface Words {
  readonly over: string;
  readonly title: string;
  readonly lead: string;
}

function heroWords({ run, view, link }: VolunteerState): Words {
  if (view !== null) {
    const { title, detail } = phaseWords(view);
    return { over: run?.name ?? 'Your contribution', title, lead: detail };
  }
  if (run !== null) {
    return {
      over: run.status === 'running' ? companyText(run.workers) : run.name,
      title: 'Lend your GPU to train a neural network',
      lead: `“${run.name}” is a ${lowerFirst(modelTitle(run.model))} that learns to recognise ${datasetSubject(run.dataset)}. It is trained by whoever opens this page: each computes a small piece, and nobody waits for the slowest.`,
    };
  }
  const lead = 'A neural network is trained here by whoever opens this page.';
  if (link === 'loading') return { over: ' ', title: 'Lend your GPU to train a neural network', lead };
  return link === 'ready'
    ? { over: 'No run', title: 'Nothing to train just now', lead: `${lead} The coordinator has no run at present.` }
    : { over: 'Offline', title: 'The coordinator does not answer', lead: `${lead} It may be starting, or gone.` };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

export function Hero() {
  const state = useStore(store, (value) => value);
  const words = heroWords(state);
  return (
    <section className="hero" aria-labelledby="hero-title">
      <div>
        <Text as="p" size="2" weight="medium" className="over">
          {words.over}
        </Text>
        <div aria-live="polite">
          <Heading as="h1" size="8" id="hero-title">
            {words.title}
          </Heading>
          <Text as="p" size="4" color="gray" className="lead">
            {words.lead}
          </Text>
        </div>
      </div>
      <Flock lit={state.run?.workers ?? 0} own={isContributing(state)} />
    </section>
  );
}

function Flock({ lit, own }: { lit: number; own: boolean }) {
  return (
    <svg className="flock" viewBox="-1.05 -0.6 2.1 1.2" aria-hidden="true" focusable="false">
      {BIRDS.map((bird, i) => {
        const bright = i < lit || (own && i === 0);
        return <circle key={i} cx={bird.x} cy={bird.y} r={bird.radius} className={bright ? 'lit' : ''} />;
      })}
    </svg>
  );
}
