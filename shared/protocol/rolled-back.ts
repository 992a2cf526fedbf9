// The note of a roll-back: how it is written, and which version it began, for those who read it.

/** `from`: the version that was given up. The state of version `to` goes on as the one after it. */
export const rolledBackText = (because: string, from: number, to: number): string =>
  `${because}: from version ${from} back to version ${to}, as version ${from + 1}`;

/** The version that the run went on with; null for a note that does not say. */
export function rolledBackVersion(text: string): number | null {
  const version = /, as version (\d+)$/.exec(text)?.[1];
  return version === undefined ? null : Number(version);
}
