// What is wrong with a database, in words that may be shown to everyone: addresses and names of users are for the log.

interface Coded {
  readonly code?: unknown;
}

const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as Coded;
  return typeof code === 'string' ? code : '';
};

/** By the beginning of PostgreSQL's error code, or of the system's. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)/, 'there is no database at its address'],
  [/^28/, 'the database does not let the coordinator in'],
  [/^3D/, 'there is no database of that name'],
  [/^(42501|25006)/, 'the coordinator may not write to the database'],
  [/^(53100|ENOSPC|EDQUOT)/, 'there is no room for the database'],
  [/^(EACCES|EPERM|EROFS)/, 'the state folder cannot be written'],
  [/^(53|57)/, 'the database is too busy, or going down'],
  [/^\w{5}$/, 'the database reports an error'],
];

export function inWords(error: unknown): string {
  const code = codeOf(error);
  return WORDS.find(([pattern]) => pattern.test(code))?.[1] ?? 'the database gives no answer';
}

/** Errors that come of the rows themselves: written again, they fail again. */
export const isOfTheRows = (error: unknown): boolean => /^2[23]/.test(codeOf(error));
