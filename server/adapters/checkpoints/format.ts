// A run as one file that anyone can open: the safetensors format, θ by layer, what the method remembers by its path, and
// everything else as JSON text in the metadata, with a SHA-256 over the whole. docs/adr/0011-checkpoint-file.md says why.

import { createHash, type Hash } from 'node:crypto';
import * as z from 'zod/mini';
import { runSchema, type RunConfig } from '../../../shared/config.ts';
import { asRunId } from '../../../shared/ids.ts';
import type { LayoutEntry } from '../../../shared/model/layout.ts';
import { decodeSafetensors, encodeSafetensorsHead, tensorValues, type Contents } from '../../../shared/safetensors.ts';
import type { Vec } from '../../../shared/vec.ts';
import { fromText, toText, type Place } from '../../core/exact.ts';
import type { RunSnapshot } from '../../core/snapshot.ts';
import type { State } from '../../core/state.ts';

const FORMAT = 'murmuration-checkpoint';
/** Raised when a file of an earlier one can no longer be read as it stands. */
const FORMAT_VERSION = '1';
/** The name of θ in a snapshot's state: the one vector that is written layer by layer. */
const THETA = 'theta';

/** The digest is the header's first value, so that its place in the file is known before anything is read. */
const BEFORE_DIGEST = '{"__metadata__":{"sha256":"';
const DIGEST_AT = 8 + BEFORE_DIGEST.length;
const DIGEST_CHARS = 64;
const NO_DIGEST = '0'.repeat(DIGEST_CHARS);

export interface Checkpoint {
  readonly snapshot: RunSnapshot;
  /** Of all the times that the coordinator was started on its state folder, the number of the one that wrote this. */
  readonly boot: number;
  /** ISO 8601 */
  readonly savedAt: string;
}

/** The file but for its digest: a header, and vectors that follow it. */
export interface Encoded {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly vectors: readonly Vec[];
}

/** Splits θ by `layers`. The vectors are the snapshot's own, not copies. */
export function encodeCheckpoint(
  { snapshot, boot, savedAt }: Checkpoint,
  layers: readonly Pick<LayoutEntry, 'name' | 'shape' | 'offset' | 'size'>[],
): Encoded {
  const tensors: { name: string; shape: readonly number[] }[] = [];
  const vectors: Vec[] = [];
  const place = (path: readonly string[], vector: Vec): Place => {
    const isTheta = path.length === 1 && path[0] === THETA;
    const pieces = isTheta ? layers : [{ name: pathName(path), shape: [vector.length] }];
    tensors.push(...pieces);
    vectors.push(vector);
    return pieces.map(({ name }) => name);
  };
  const none = (): never => {
    throw new Error('invariant violation: a vector among the facts of a run');
  };
  const { config, version, ended, facts, state } = snapshot;
  const metadata = {
    sha256: NO_DIGEST,
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    run: config.id,
    version: String(version),
    ended: String(ended),
    boot: String(boot),
    savedAt,
    config: toText(config, none),
    state: toText(state, place),
    facts: toText(facts, none),
  };
  return { head: encodeSafetensorsHead(tensors, metadata), vectors };
}

/** Puts the digest of everything else into the header. It takes the time of reading the vectors once. */
export function seal({ head, vectors }: Encoded): void {
  const hash = createHash('sha256').update(head);
  for (const vector of vectors) hash.update(bytesOf(vector));
  head.set(new TextEncoder().encode(hash.digest('hex')), DIGEST_AT);
}

export const bytesOf = (vector: Vec): Uint8Array => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

/** So many bytes of a file have what `peekCheckpoint` reads. */
export const PEEK_BYTES = 1024;

/** What the beginning of a file says, unchecked: good for choosing which files to read. Null when it says nothing. */
export function peekCheckpoint(beginning: Uint8Array): { ended: boolean; savedAt: string } | null {
  const said = /"ended":"(true|false)","boot":"\d+","savedAt":"([^"]*)"/.exec(
    Buffer.from(beginning).toString('latin1'),
  );
  return said && { ended: said[1] === 'true', savedAt: said[2]! };
}

/** Reads a whole file, and believes nothing of it. Throws one sentence that says what is wrong. */
export function decodeCheckpoint(file: Uint8Array): Checkpoint {
  checkDigest(file);
  const contents = decodeSafetensors(file);
  const { metadata } = contents;
  const { format, formatVersion } = metadata;
  if (format !== FORMAT) throw new Error('it is no checkpoint, though its checksum is right');
  if (formatVersion !== FORMAT_VERSION) {
    throw new Error(`it is of format ${formatVersion ?? 'none'} where ${FORMAT_VERSION} was expected`);
  }
  const state = stateOf(file, contents);
  const config = configOf(text(metadata, 'config'));
  return {
    snapshot: {
      config,
      version: count(metadata, 'version'),
      ended: text(metadata, 'ended') === 'true',
      facts: fromText(text(metadata, 'facts'), noVector) as RunSnapshot['facts'],
      state,
    },
    boot: count(metadata, 'boot'),
    savedAt: text(metadata, 'savedAt'),
  };
}

/** First of all: what is not as it was written needs no other reason. */
function checkDigest(file: Uint8Array): void {
  const end = DIGEST_AT + DIGEST_CHARS;
  const ascii = (from: number, to: number): string => Buffer.from(file.subarray(from, to)).toString('latin1');
  if (file.byteLength < end) throw new Error(`it is cut short: it has ${file.byteLength} bytes`);
  if (ascii(8, DIGEST_AT) !== BEFORE_DIGEST) throw new Error('it does not begin as a checkpoint does');
  const hash: Hash = createHash('sha256');
  hash.update(file.subarray(0, DIGEST_AT)).update(NO_DIGEST).update(file.subarray(end));
  if (hash.digest('hex') === ascii(DIGEST_AT, end)) return;
  throw new Error('it is damaged or cut short: its SHA-256 is not the one that was written');
}

/** Every tensor has its place in the tree, and every place its tensor. */
function stateOf(file: Uint8Array, { metadata, tensors }: Contents): State {
  const left = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const vector = (place: Place): Vec => {
    const pieces = place.map((name) => {
      const tensor = left.get(name);
      if (!tensor || !left.delete(name)) throw new Error(`its tensor "${name}" is missing, or has two places`);
      return tensorValues(file, tensor);
    });
    if (pieces.length === 1) return pieces[0]!;
    const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };
  const state = fromText(text(metadata, 'state'), vector);
  const [extra] = left.keys();
  if (extra !== undefined) throw new Error(`its tensor "${extra}" has no place in the run`);
  if (!isTree(state) || !(state[THETA] instanceof Float32Array)) throw new Error('it has no parameters');
  return state;
}

function isTree(value: unknown): value is State {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (element) => typeof element === 'number' || element instanceof Float32Array || isTree(element),
  );
}

/** Checked like a run's file: a field that is new since then gets its default. */
function configOf(json: string): RunConfig {
  const config = runSchema.safeParse(fromText(json, noVector));
  if (!config.success) throw new Error(`its configuration is none: ${z.prettifyError(config.error)}`);
  return { ...config.data, id: asRunId(config.data.id) };
}

function noVector(): never {
  throw new Error('it has a vector where none can be');
}

function text(metadata: Contents['metadata'], name: string): string {
  const value = metadata[name];
  if (value === undefined) throw new Error(`it has no "${name}"`);
  return value;
}

function count(metadata: Contents['metadata'], name: string): number {
  const value = Number(text(metadata, name));
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`its "${name}" is no count`);
  return value;
}

/** `state/…`, with `~` and `/` within a name written `~0` and `~1` as in a JSON pointer (RFC 6901). */
const pathName = (path: readonly string[]): string =>
  ['state', ...path].map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
