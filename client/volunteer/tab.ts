// What happens to the tab (hidden, frozen, kept for the back button, offline, closed), in the words that its worker hears.

import type { PageToWorker } from '../worker/bridge.ts';

/** Tells of the tab from now on, for as long as the page lives. */
export function watchTab(tell: (message: PageToWorker) => void): void {
  const seen = (hidden: boolean): void => tell({ type: 'visibility', hidden });
  const woke = (): void => {
    seen(document.hidden);
    tell({ type: 'woke' });
  };
  document.addEventListener('visibilitychange', () => (document.hidden ? seen(true) : woke()));
  // A frozen page's worker is frozen with it. It may hear the first word of each pair before, or both afterwards.
  document.addEventListener('freeze', () => seen(true));
  document.addEventListener('resume', woke);
  // Closed, it says goodbye: its leases need not wait to be overdue. Kept for the back button, it may be back.
  addEventListener('pagehide', ({ persisted }) => (persisted ? seen(true) : tell({ type: 'stop' })));
  addEventListener('pageshow', ({ persisted }) => void (persisted && woke()));
  addEventListener('online', woke);
}
