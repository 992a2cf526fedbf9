// The wire's version. Any change to a frame, an envelope, a message or an event raises it.

export const PROTOCOL_VERSION = 2;

/** Why a worker cannot be admitted. Closed: each is shown to a person in the words of `refusalText`. */
export const REFUSALS = [
  'client-too-old',
  'server-too-old',
  'unknown-run',
  'run-ended',
  'too-many-workers',
  'too-many-from-address',
  'malformed-hello',
  'bad-key',
  'join-code',
  'not-listed',
  'banned',
  'busy',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** One sentence a person can act on. */
export function refusalText(refusal: Refusal): string {
  switch (refusal) {
    case 'client-too-old':
      return 'This page is older than the coordinator: reload it.';
    case 'server-too-old':
      return 'The coordinator is older than this page: ask its operator to update it.';
    case 'unknown-run':
      return 'The coordinator has no such run.';
    case 'run-ended':
      return 'This run has ended.';
    case 'too-many-workers':
      return 'This run has as many workers as it takes: try again later.';
    case 'too-many-from-address':
      return 'As many workers take part from this network as one network may have: try again later, or ask whoever runs it to allow more.';
    case 'malformed-hello':
      return 'The coordinator did not understand this page: reload it.';
    case 'bad-key':
      return 'This device could not prove who it is: try again.';
    case 'join-code':
      return 'This run needs its join code: ask whoever runs it.';
    case 'not-listed':
      return 'This run takes only devices on its list: send this device’s id to whoever runs it.';
    case 'banned':
      return 'This device was banned from the run, by its operator or because its results looked wrong. Is that a mistake? The operator can let it in again.';
    case 'busy':
      return 'The coordinator has more to do than it can: try again in a moment.';
    default:
      return refusal satisfies never;
  }
}
