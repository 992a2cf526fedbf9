// The run's join code: from the invitation's fragment or a field, remembered for this tab.

import { textSlot } from '../page/browser-storage.ts';

/** As long as a code may be. */
export const CODE_CHARS_MAX = 64;

export const joinCodeSlot = textSlot(() => sessionStorage, 'murmuration.code');

/** `#code=…` → the code; null when the fragment has none. */
export function codeOfFragment(hash: string): string | null {
  const code = new URLSearchParams(hash.replace(/^#/, '')).get('code')?.trim() ?? '';
  return code === '' || code.length > CODE_CHARS_MAX ? null : code;
}

/** Takes the code out of the address, so that it stays out of the history and of screenshots. */
export function takeFragmentCode(): void {
  const code = codeOfFragment(location.hash);
  if (code === null) return;
  joinCodeSlot.save(code);
  history.replaceState(null, '', location.pathname + location.search);
}
