// Texts as PostgreSQL can hold them, and not without end.

/** A sentence or three. Names are shorter by far. */
export const TEXT_CHARS_MAX = 2000;

/** Without what no text of PostgreSQL can hold: zero bytes, and halves of characters. */
export function cleanText(text: string): string {
  return text
    .slice(0, TEXT_CHARS_MAX)
    .replaceAll('\0', '')
    .replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}

/** JSON for a `jsonb` column. */
export const cleanJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? cleanText(inner) : inner));
