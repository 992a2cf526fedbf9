// Light or dark: as the system says, until a person chooses.

import { textSlot } from './browser-storage.ts';
import { createStore } from './store.ts';

export type Appearance = 'light' | 'dark';

const slot = textSlot(() => localStorage, 'murmuration.appearance');
const system = matchMedia('(prefers-color-scheme: dark)');

const chosen = (): Appearance | null => {
  const text = slot.load();
  return text === 'light' || text === 'dark' ? text : null;
};
const ofSystem = (): Appearance => (system.matches ? 'dark' : 'light');

export const theme = createStore<{ appearance: Appearance }>({ appearance: chosen() ?? ofSystem() });

system.addEventListener('change', () => {
  if (chosen() === null) theme.set({ appearance: ofSystem() });
});

/** The other one. A choice that equals the system's is not a choice: from then on the system is followed again. */
export function toggleAppearance(): void {
  const appearance = theme.get().appearance === 'dark' ? 'light' : 'dark';
  slot.save(appearance === ofSystem() ? null : appearance);
  theme.set({ appearance });
}
