// Why a push is refused, or a request cannot be read. Closed lists: counted per worker, named in the API, never thrown.

/** The bytes were not a frame of this run. Found before anything is touched. */
export const FRAME_ERRORS = [
  'truncated', // fewer bytes than the header or its length says
  'oversized', // more bytes than the header says, or more than the run's frames have
  'bad-magic',
  'bad-version',
  'bad-kind',
  'bad-codec',
  'wrong-run',
  'wrong-length', // not as many elements as the run has parameters
  'wrong-layout', // the layout hash is another model's
  'wrong-base', // the header's base version is not the lease's
  'bad-checksum',
  'misaligned', // the frame does not begin on a multiple of 8 bytes, after zeros
  'bad-scale', // not positive and finite, or not 1 for numbers that are not scaled
  'malformed-json', // the envelope's JSON does not parse or does not fit its schema
] as const;
export type FrameError = (typeof FRAME_ERRORS)[number];

/** The push was read, and is not fit to use. The lease is spent; its samples go to someone else. */
export const PUSH_REJECTIONS = [
  'unknown-lease', // never issued to this worker, or forgotten
  'expired-lease', // after the hard deadline
  'superseded', // the same samples were already counted from another worker
  'wrong-samples', // not as many samples as the lease has
  'not-finite',
  'too-large', // finite, but so large that θ would not stay finite
  'too-small', // not zero, but below what float32 holds in full
  'all-zero',
  'stale', // later than the run takes: fetch new work
  'banned',
  'late-round', // the round it belongs to is over
  'run-not-active', // stopped or finished: a pause still takes in what is under way
] as const;
export type PushRejection = (typeof PUSH_REJECTIONS)[number];

export type RejectReason = FrameError | PushRejection;

/** The push was taken in and its samples are counted, but it moves nothing: `applied` or `buffered` all the same. */
export const UNUSED_REASONS = [
  'past-token', // the update that its samples belong to is further past than the method forgives
] as const;
export type UnusedReason = (typeof UNUSED_REASONS)[number];
