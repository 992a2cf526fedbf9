// Everything that a remote may say in JSON, as schemas: the only way from the wire into the program. Strict bounds on
// every number and text. What the coordinator says is in lease.ts and snapshots.ts: it is trusted by its own pages.

import * as z from 'zod/mini';
import type { DatasetSpec, ShardRef } from '../data/spec.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { CodecName } from './frame.ts';
import { NAME_CHARS_MAX } from './limits.ts';
import type { Refusal } from './version.ts';

export const ADAPTER_CHARS_MAX = 200; // the longest GPU names seen are under 120
const ID_CHARS_MAX = 64;
/** Of a worker's token, signed by the coordinator. */
export const TOKEN_CHARS_MAX = 256;
const BACKENDS_TRIED_MAX = 8; // four exist

const text = (max: number) => z.string().check(z.maxLength(max));
const id = text(ID_CHARS_MAX).check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/));
const duration = z.number().check(z.nonnegative(), z.maximum(86_400_000));

export const BACKENDS = ['webgpu', 'webgl', 'wasm', 'cpu', 'other'] as const;
export type Backend = (typeof BACKENDS)[number];

/** What a worker computes on, as it says itself: shown to the operator, never relied on. */
export const deviceSchema = z.strictObject({
  backend: z.enum(BACKENDS),
  adapter: text(ADAPTER_CHARS_MAX),
  /** A software implementation of a GPU. */
  fallback: z.boolean(),
  /** Backends that were passed over before this one, and why. */
  tried: z
    .array(z.strictObject({ backend: z.enum(BACKENDS), reason: text(ADAPTER_CHARS_MAX) }))
    .check(z.maxLength(BACKENDS_TRIED_MAX)),
});
export type Device = z.infer<typeof deviceSchema>;

/** A raw P-256 point in base64url is 87 characters, a signature of it 86. */
const KEY_CHARS_MAX = 100;
const CHALLENGE_CHARS_MAX = 128;
/** More leases than a worker may hold. */
const HOLDING_MAX = 16;
export const JOIN_CODE_CHARS_MAX = 64;

/**
 * Proof of a device's identity: `signature` is ECDSA (P-256, SHA-256, as r and s) over `helloText` (proof.ts) with a challenge that the
 * coordinator made for this hello. All base64url.
 */
const proofSchema = z.strictObject({
  /** The uncompressed point. */
  key: text(KEY_CHARS_MAX),
  challenge: text(CHALLENGE_CHARS_MAX),
  signature: text(KEY_CHARS_MAX),
});
export type Proof = z.infer<typeof proofSchema>;

/** A worker asks to be admitted to a run. */
export const helloSchema = z.strictObject({
  protocol: z.int().check(z.nonnegative(), z.maximum(65_535)),
  run: id,
  name: text(NAME_CHARS_MAX),
  device: deviceSchema,
  /** The token of an earlier welcome: the same worker is back. */
  token: z.optional(text(TOKEN_CHARS_MAX)),
  /** Whose device this is; pages on plain http cannot have a key. */
  proof: z.optional(proofSchema),
  joinCode: z.optional(text(JOIN_CODE_CHARS_MAX)),
  /** The leases that it still has: others that it had are lost, and go to somebody else. Unsaid, all are kept. */
  holding: z.optional(z.array(id).check(z.maxLength(HOLDING_MAX))),
});
export type Hello = z.infer<typeof helloSchema>;

/** What goes with a gradient. */
export const pushSchema = z.strictObject({
  /** Mean loss over the samples, before the step: a cross-entropy, never below 0. */
  loss: z.number().check(z.nonnegative(), z.maximum(1e9)),
  samples: z.int().check(z.positive(), z.maximum(10_000_000)),
  /** Time in the step alone: neither transfers nor waiting. */
  computeMs: duration,
});
export type PushMeta = z.infer<typeof pushSchema>;

/** A worker's heartbeat. */
export const statusSchema = z.strictObject({ state: z.enum(['training', 'paused', 'waiting', 'hidden']) });
export type WorkerStatus = z.infer<typeof statusSchema>;

/** Everything a worker needs to know of a run, once. */
export interface RunManifest {
  readonly id: string;
  readonly name: string;
  /** In every frame's header. */
  readonly runKey: number;
  readonly model: ModelSpec;
  readonly dataset: DatasetSpec;
  readonly shards: readonly ShardRef[];
  readonly parameters: number;
  readonly layoutHash: number;
  /** How the worker must pack what it pushes. */
  readonly pushCodec: CodecName;
  readonly leasesPerWorker: number;
  readonly heartbeatMs: number;
  /** A larger body is refused before it is read. */
  readonly pushBytesMax: number;
}

export type Welcome =
  | {
      readonly ok: true;
      readonly protocol: number;
      readonly worker: string;
      readonly token: string;
      readonly run: RunManifest;
    }
  | { readonly ok: false; readonly protocol: number; readonly refusal: Refusal; readonly message: string };
