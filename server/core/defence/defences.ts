// The defences of one run against wrong numbers: what a push counts for (guard.ts), what speaks for a ban (score.ts,
// spotchecks.ts), and who is banned. Which of them are on is the run's configuration. They ask the shell for what they
// cannot compute, the trusted gradient and leases computed again, and tell the run whom to ban; they do neither.

import * as z from 'zod/mini';
import type { Defences, RunConfig } from '../../../shared/config.ts';
import { asWorkerId, deviceOf, type WorkerId } from '../../../shared/ids.ts';
import type { Device } from '../../../shared/protocol/messages.ts';
import type { Lease } from '../../../shared/protocol/lease.ts';
import type { RejectReason } from '../../../shared/protocol/reasons.ts';
import type { Standing } from '../../../shared/protocol/snapshots.ts';
import { rng, type Rng } from '../../../shared/rng.ts';
import type { Vec } from '../../../shared/vec.ts';
import type { CoordinatorEvent, Effect } from '../events.ts';
import { count } from '../facts.ts';
import { median } from '../rate.ts';
import type { Sent } from '../sent.ts';
import { Bans, type BannedBy } from './bans.ts';
import { Broken } from './broken.ts';
import { PushGuard } from './guard.ts';
import { Records } from './records.ts';
import { knownByHeart, type Judgement } from './score.ts';
import { SpotChecks } from './spotchecks.ts';
import { Trust } from './trust.ts';
import { recomputable } from './verdict.ts';

type EventOf<T extends CoordinatorEvent['type']> = Extract<CoordinatorEvent, { type: T }>;

/** Who is here, as the run knows it. */
export interface Here {
  present(worker: string): boolean;
  readonly presentCount: number;
  /** What this worker says of its loss lately, nats; null when it has said nothing. */
  lossOf(worker: string): number | null;
  /** The loss on held-out samples, nats; null when it is not known. */
  heldOut(): number | null;
}

/** A push before anything has changed it. */
export interface Arrival {
  readonly worker: WorkerId;
  readonly backend: Device['backend'];
  readonly lease: Lease;
  readonly sent: Sent;
  readonly vector: Vec;
  readonly loss: number;
}

export interface Sentence {
  readonly worker: WorkerId;
  readonly reason: string;
}

const record = z.strictObject({
  ...{ trial: count, clipped: count, norms: z.array(z.number()), norm: z.number(), scored: count },
  ...{ cosines: z.array(z.number()), others: z.array(z.nullable(z.number())), doubted: z.boolean() },
  ...{ checked: count, failed: count, passed: count, owed: z._default(count, 0), struck: z.boolean() },
  ...{ broken: z._default(z.number().check(z.nonnegative()), 0), brokenAt: z._default(z.int(), -1) },
});
/** All that is remembered, but the trusted gradient and checks under way. */
export const defenceFacts = z.strictObject({
  pushes: count,
  records: z.array(z.tuple([z.string(), record])),
  recent: z.array(z.tuple([z.string(), z.number()])),
  clip: z.nullable(z.strictObject({ limit: z.nullable(z.number()), changes: count, voters: count })),
  window: z.array(z.tuple([z.string(), z.number()])),
  bans: z.array(z.tuple([z.string(), z.string()])),
  /** Null where they are among the others, as they once were. */
  operatorBans: z._default(z.nullable(z.array(z.tuple([z.string(), z.string()]))), null),
  accepted: z._default(count, 0),
});
export type DefenceFacts = z.infer<typeof defenceFacts>;

export class RunDefences {
  /** For the aggregator; null when every push counts in full. */
  readonly guard: PushGuard | null;
  readonly #config: Defences;
  readonly #run: RunConfig['id'];
  readonly #records = new Records();
  readonly #trust = new Trust();
  readonly #checks: SpotChecks | null;
  readonly #broken: Broken | null;
  readonly #bans = new Bans();
  #sentences: Sentence[] = [];
  #effects: Effect[] = [];

  /** `secret` decides which leases are checked: known to nobody outside. */
  constructor({ defences: config, id, seed }: RunConfig, here: Here, secret: string | undefined) {
    this.#config = config;
    this.#run = id;
    const random: Rng = rng(secret ?? `spot checks/${seed}`);
    this.#checks = config.spotChecks && new SpotChecks(config.spotChecks, random);
    this.#broken = config.broken === null ? null : new Broken(config.broken, this.#records);
    const weighs = [config.clip, config.probation, config.influence, config.score].some((part) => part !== null);
    this.guard = weighs
      ? new PushGuard({
          config,
          records: this.#records,
          trust: this.#trust,
          present: (worker) => here.present(worker) && this.#bans.reason(worker) === null,
          presentCount: () => here.presentCount,
          byHeart: () => knownByHeart({ workers: this.#middleLoss(here), heldOut: here.heldOut() }),
          condemned: (worker, judgement) => this.#condemn(worker as WorkerId, describe(judgement)),
        })
      : null;
  }

  /** Why this worker is banned; null when it is not. */
  banned(worker: string): string | null {
    return this.#bans.reason(worker);
  }

  ban({ worker, reason }: Sentence, by: BannedBy): void {
    this.#bans.add(worker, reason, by);
  }

  /** False when it was not banned. It begins anew, as one that nobody knows. */
  unban(worker: string): boolean {
    this.#records.forget(deviceOf(asWorkerId(worker)));
    return this.#bans.lift(worker);
  }

  /**
   * Whether this push is to be computed again, or owes it to a later one, should it be accepted: then what is returned is
   * to be called. Copies what will be overwritten.
   */
  beforePush({ worker, backend, lease, sent, vector, loss: pushedLoss }: Arrival): (() => void) | null {
    const checks = this.#checks;
    if (!checks || !recomputable(lease.work)) return null;
    const plan = checks.plan(lease.id, this.#records.find(worker));
    if (plan === 'nothing') return null;
    if (plan === 'owe') return () => checks.owe(this.#records.touch(worker));
    const [params, pushed] = [sent.vector.slice(), vector.slice()];
    const run = this.#run;
    return () => {
      const known = this.#records.touch(worker); // where nothing weighs pushes it has no record yet
      if (plan === 'repay') checks.repaid(known);
      const check = checks.begin(worker);
      this.#effects.push({ type: 'recompute', run, check, worker, backend, lease, params, pushed, pushedLoss });
    };
  }

  /** What became of a push, whether or not it was computed again. */
  accepted(worker: WorkerId): void {
    this.#broken?.sawAccepted(worker);
  }

  refused(worker: WorkerId, reason: RejectReason): void {
    if (!this.#broken?.sawRefused(worker, reason)) return;
    this.#condemn(worker, `it keeps sending pushes that are unfit to use: the last was refused as ${reason}`);
  }

  /** Asks for the trusted gradient when it is due and anything needs it. `theta` is copied. */
  ask(version: number, theta: Vec, nowMs: number): void {
    const needed = this.#config.score !== null || this.#config.probation !== null;
    const pushes = this.guard?.pushes ?? 0;
    if (!needed || !this.#trust.ask({ version, pushes, nowMs })) return;
    this.#effects.push({ type: 'trust', run: this.#run, version, theta: theta.slice() });
  }

  /** True when it has failed too often to be relied on: said once. */
  trusted({ vector }: EventOf<'trusted'>): boolean {
    return this.#trust.answer(vector);
  }

  /** The run went back to an earlier θ. */
  wentBack(): void {
    this.#trust.forget();
  }

  /** An older log says nothing of losses. */
  recomputed({ check, same, cosine, distance, lossOff = 0 }: EventOf<'recomputed'>): void {
    const worker = this.#checks?.end(check);
    const known = worker === undefined ? undefined : this.#records.find(worker);
    if (!known || same === null) return;
    const fault = this.#checks!.judge(known, { same, cosine, distance, lossOff });
    if (fault !== null) this.#condemn(worker as WorkerId, fault);
  }

  /** Whom to ban, since the last time. */
  takeSentences(): Sentence[] {
    const sentences = this.#sentences;
    if (sentences.length > 0) this.#sentences = [];
    return sentences;
  }

  /** What the shell is to do, since the last time. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    return effects;
  }

  /** Whether it is past its probation, and what was computed again of it agrees: its word counts. */
  trusts(worker: string): boolean {
    const known = this.#records.find(worker);
    const trial = this.#config.probation?.pushes ?? 0;
    return this.#bans.reason(worker) === null && (known?.trial ?? 0) >= trial && !known?.struck;
  }

  standing(worker: string, keyed: boolean): Standing {
    const banned = this.#bans.reason(worker);
    const known = this.#records.find(worker);
    return {
      level: banned !== null ? 'banned' : this.trusts(worker) ? 'trusted' : 'newcomer',
      banned,
      keyed,
      cosine: known ? (this.guard?.score?.meanOf(known) ?? null) : null,
      clipped: known?.clipped ?? 0,
      checked: known?.checked ?? 0,
      failed: known?.failed ?? 0,
      owed: known?.owed ?? 0,
      influence: this.guard?.influence?.shareOf(worker) ?? null,
    };
  }

  snapshot(): DefenceFacts {
    return {
      pushes: this.guard?.pushes ?? 0,
      records: this.#records.snapshot(),
      recent: this.guard?.score?.snapshot() ?? [],
      clip: this.guard?.clip?.snapshot() ?? null,
      window: this.guard?.influence?.snapshot() ?? [],
      bans: this.#bans.snapshot('defences'),
      operatorBans: this.#bans.snapshot('operator'),
      accepted: this.#broken?.accepted ?? 0,
    };
  }

  restore({ pushes, records, recent, clip, window, bans, operatorBans, accepted }: DefenceFacts): void {
    this.#records.restore(records);
    // Whose they were was not written down: the operator's hold, so all do.
    this.#bans.restore(operatorBans ? { operator: operatorBans, defences: bans } : { operator: bans, defences: [] });
    if (this.#broken) this.#broken.accepted = accepted;
    if (!this.guard) return;
    this.guard.pushes = pushes;
    this.guard.score?.restore(recent);
    if (clip) this.guard.clip?.restore(clip);
    this.guard.influence?.restore(window);
  }

  /** Of the workers that are trusted and pushed last; null while there are none. Words alone do not move it. */
  #middleLoss(here: Here): number | null {
    const trusted = this.guard?.score?.lately().filter((worker) => this.trusts(worker)) ?? [];
    return median(trusted.flatMap((worker) => here.lossOf(worker) ?? []));
  }

  #condemn(worker: WorkerId, reason: string): void {
    if (this.#bans.reason(worker) === null) this.#sentences.push({ worker, reason });
  }
}

function describe({ mean, pushes, others }: Judgement): string {
  const compared = others === null ? 'it should be above 0' : `the others’ is ${others.toFixed(2)}`;
  return `its last ${pushes} pushes do not lead where held-out samples say: their mean cosine is ${mean.toFixed(2)}, ${compared}`;
}
