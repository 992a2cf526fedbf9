// The admin token: from the page's fragment or a field. It is exchanged for a session at once, and kept nowhere.

/** Longer than any token the coordinator makes: what is pasted by mistake is not sent as a header. */
const TOKEN_CHARS_MAX = 256;

/** `#token=…` → the token; null when the fragment has none. */
export function tokenOfFragment(hash: string): string | null {
  return cleanToken(new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? '');
}

/** What a person typed or pasted: visible ASCII, as a header takes it; null when it cannot be a token. */
export function cleanToken(text: string): string | null {
  const token = text.trim();
  return token.length <= TOKEN_CHARS_MAX && /^[\x21-\x7e]+$/.test(token) ? token : null;
}

/** Takes the token out of the address, so that it stays out of the history and of screenshots. */
export function takeFragmentToken(): string | null {
  const token = tokenOfFragment(location.hash);
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
}
