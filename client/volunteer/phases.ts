// The volunteer's state in words: headline, explanation, page title. Pure.

import { count, counted } from '../page/format.ts';
import type { VolunteerPhase, VolunteerView } from '../worker/bridge.ts';
import type { VolunteerState } from './state.ts';

export interface PhaseWords {
  /** For a badge. */
  readonly short: string;
  readonly title: string;
  readonly detail: string;
}

const PHASES: Record<VolunteerPhase, PhaseWords> = {
  checking: {
    short: 'Checking',
    title: 'Trying out this machine',
    detail: 'Each way of computing is first tried on a small problem whose answer is known. This takes some seconds.',
  },
  connecting: { short: 'Connecting', title: 'Connecting', detail: 'Asking the coordinator for a piece of work.' },
  training: {
    short: 'Training',
    title: 'Training',
    detail: 'This page is computing. Use other tabs as you like, and keep this one open: in view, it is fastest.',
  },
  waiting: {
    short: 'Waiting',
    title: 'Waiting for work',
    detail: 'The coordinator has nothing to compute just now. It goes on by itself.',
  },
  paused: { short: 'Paused', title: 'Paused', detail: 'Nothing is being computed. Resume whenever you like.' },
  reconnecting: {
    short: 'Reconnecting',
    title: 'Reconnecting',
    detail: 'The coordinator does not answer. The page keeps trying: there is nothing you need to do.',
  },
  finished: { short: 'Finished', title: 'The run has finished', detail: 'Thank you for your part in it.' },
  stopped: {
    short: 'Stopped',
    title: 'Stopped',
    detail: 'Nothing is being computed any more. Thank you for your part in it.',
  },
  failed: { short: 'Failed', title: 'This page cannot contribute', detail: 'Reload the page to try again.' },
};

export const OPERATOR_PAUSED = 'The operator has paused the run. Keep the page open: it goes on by itself.';

/** Headline and explanation of a contribution. A message of the worker says more than the phase alone. */
export function phaseWords(view: VolunteerView): PhaseWords {
  const words = PHASES[view.phase];
  if (view.message !== null) return { ...words, detail: view.message };
  const idle = view.phase === 'waiting' || view.phase === 'paused';
  if (idle && view.run?.status === 'paused') return { ...words, detail: OPERATOR_PAUSED };
  return words;
}

/** The browser tab's title: readable when the tab is not in view. */
export function pageTitle(state: VolunteerState): string {
  const name = 'Murmuration';
  const { view, run, link } = state;
  if (view !== null) {
    const words = PHASES[view.phase].title;
    return view.phase === 'training' ? `Training… ${counted(view.steps, 'step')} · ${name}` : `${words} · ${name}`;
  }
  if (link === 'unreachable') return `Coordinator unreachable · ${name}`;
  if (run === null) return link === 'ready' ? `No run · ${name}` : name;
  return `${run.name} · ${name}`;
}

/** For one who has stopped: "You computed 1,234 steps; 5,678 samples were counted." */
export function thanks(view: VolunteerView): string {
  return `You computed ${counted(view.steps, 'step')}; ${counted(view.samples, 'sample')} went into the model.`;
}

/** "12 volunteers are taking part now". */
export function companyText(workers: number): string {
  if (workers === 0) return 'No one is taking part yet: be the first';
  return workers === 1 ? 'One volunteer is taking part now' : `${count(workers)} volunteers are taking part now`;
}
