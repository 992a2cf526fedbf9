// Whose device a hello comes from: its key, proved by a signature, and the identifier that the key gives its workers.

import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { asWorkerId, deviceOf, type WorkerId } from '../../shared/ids.ts';
import type { Proof } from '../../shared/protocol/messages.ts';
import { helloText } from '../../shared/protocol/proof.ts';
import type { Challenges } from './challenges.ts';

const POINT_BYTES = 65;
const COORDINATE_BYTES = 32;
const SIGNATURE_BYTES = 64;
const ID_CHARS = 20;

/** The device of a proof that is good for this run, whose challenge is used up by it; null for any other. */
export function provenDevice(proof: Proof, run: string, challenges: Challenges): WorkerId | null {
  const point = Buffer.from(proof.key, 'base64url');
  const signature = Buffer.from(proof.signature, 'base64url');
  if (signature.length !== SIGNATURE_BYTES || !challenges.good(proof.challenge)) return null;
  const key = publicKey(point);
  if (!key) return null;
  const text = Buffer.from(helloText(run, proof.challenge));
  if (!verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, signature)) return null;
  return challenges.use(proof.challenge) ? deviceOfKey(point) : null;
}

/** 80 bits of the key's hash: nobody finds a second key of the same. */
function deviceOfKey(point: Buffer): WorkerId {
  return asWorkerId(`w${createHash('sha256').update(point).digest('hex').slice(0, ID_CHARS)}`);
}

/** Of an uncompressed point on P-256; null when it is none. */
function publicKey(point: Buffer): KeyObject | null {
  if (point.length !== POINT_BYTES || point[0] !== 4) return null;
  const x = point.toString('base64url', 1, 1 + COORDINATE_BYTES);
  const y = point.toString('base64url', 1 + COORDINATE_BYTES);
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch {
    return null; // not on the curve
  }
}

/** Ids that a key gives begin with w, those that only a token keeps with g (for guest). */
export const isKeyed = (worker: WorkerId): boolean => deviceOf(worker).startsWith('w');
