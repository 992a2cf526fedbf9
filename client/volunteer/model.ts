// The volunteer page without its looks: one store, the curves, and what a person can do.

import { History } from '../page/history.ts';
import { createStore } from '../page/store.ts';
import { Contribution } from './contribution.ts';
import { offerOf } from './device.ts';
import { createFeed } from './feed.ts';
import { joinCodeSlot, takeFragmentCode } from './join-code.ts';
import { cleanNickname, nicknameSlot } from './nickname.ts';
import { pageTitle } from './phases.ts';
import { contributionReconsidered, EMPTY_STATE, readAddress, type VolunteerState } from './state.ts';

const address = readAddress(location.search);
takeFragmentCode();

export const store = createStore<VolunteerState>(EMPTY_STATE);
export const curves = new History();
export const offer = offerOf(isSecureContext, 'gpu' in navigator);

const feed = createFeed(store, curves, address.run);
const contribution = new Contribution(store, feed.poll);

store.subscribe(() => {
  const title = pageTitle(store.get());
  if (document.title !== title) document.title = title;
});
feed.poll();

export const savedCode = (): string => joinCodeSlot.load() ?? '';
export const savedNickname = (): string => nicknameSlot.load() ?? '';

export const actions = {
  contribute(nickname: string, code: string): void {
    const { run } = store.get();
    if (run === null) return;
    joinCodeSlot.save(code.trim());
    const name = cleanNickname(nickname);
    nicknameSlot.save(name);
    const joinCode = run.admission === 'code' ? code.trim() : null;
    contribution.start({ run: run.id, name, backend: address.backend, joinCode });
  },
  pause: (): void => contribution.pause(),
  resume: (): void => contribution.resume(),
  stop: (): void => contribution.stop(),
  reconsider: (): void => store.set(contributionReconsidered(store.get())),
  retry: (): void => feed.poll(),
};
