// The shell around the coordinator: the one clock, the one timer, and the table of who waits for which answer. It
// decides nothing; it carries events in and effects out.

import { hashText } from '../../shared/rng.ts';
import type { RunId, WorkerId } from '../../shared/ids.ts';
import { envelopeBytes, PUSH_JSON_BYTES_MAX } from '../../shared/protocol/envelope.ts';
import { frameBytes } from '../../shared/protocol/frame.ts';
import type { Next } from '../../shared/protocol/lease.ts';
import type { DashboardSnapshot, Health, NoteRow } from '../../shared/protocol/snapshots.ts';
import type { RunManifest } from '../../shared/protocol/messages.ts';
import { Attempts } from '../attempts.ts';
import type { Coordinator } from '../core/coordinator.ts';
import type { CoordinatorEvent, Effect, RequestId } from '../core/events.ts';
import type { RunSnapshot } from '../core/snapshot.ts';
import type { Admission, Answer, Door, Identity, Note, Remote } from '../door.ts';
import type { RunData } from './rundata.ts';
import { AdmissionDesk } from './admission.ts';
import { derivedSecret } from './secret.ts';
import type { Load } from './load.ts';

const HEARTBEAT_MS = 10_000;
/** A join code is typed by hand, often by a class behind one address; six characters are a billion guesses. */
const WRONG_CODES = { perAddress: 20, altogether: 2000, windowSeconds: 300 };
/** Longest wait of one timer: Node's own limit is 2³¹ − 1 ms. */
const TIMER_MAX_MS = 60_000;

/** What the coordinator asks to be computed. */
export type Computed = Extract<Effect, { type: 'evaluate' | 'trust' | 'recompute' }>;

export interface LoopOptions {
  readonly coordinator: Coordinator;
  /** What workers' tokens are signed with: with the same one they are known again after a restart. */
  readonly secret: Buffer;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  /** Asked before work is handed out: how much there is to do. */
  readonly load: Load;
  readonly onControl: (run: RunId, worker: WorkerId | 'all', kind: 'pause' | 'resume' | 'stop') => void;
  /** Something is to be computed outside. */
  readonly onCompute: (effect: Computed) => void;
  readonly onNote: (note: Note) => void;
  /** The worker is banned, and its device with it: cut it off. */
  readonly onCut: (run: RunId, worker: WorkerId) => void;
  /** Sees every event just before the coordinator does. */
  readonly onEvent?: (event: CoordinatorEvent, nowMs: number) => void;
  /** Sees it again when it has been handled, with what followed. */
  readonly onHandled?: (event: CoordinatorEvent, effects: readonly Effect[]) => void;
  readonly health: () => Health;
  /** The latest of a run, newest first. */
  readonly notes: (run: RunId) => readonly NoteRow[];
}

export class Loop implements Door {
  readonly #options: LoopOptions;
  readonly #coordinator: Coordinator;
  readonly #admission: AdmissionDesk;
  readonly #data = new Map<RunId, RunData>();
  readonly #manifests = new Map<RunId, RunManifest>();
  readonly #waiting = new Map<RequestId, Answer>();
  #requests = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  #closed = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#coordinator = options.coordinator;
    this.#admission = new AdmissionDesk({
      coordinator: options.coordinator,
      manifest: (run) => this.manifest(run),
      dispatch: (event) => this.dispatch(event),
      secret: options.secret,
      nowMs: options.nowMs,
      wallMs: Date.now,
      busy: () => options.load.shedding,
      codes: new Attempts({ ...WRONG_CODES, nowMs: options.nowMs }),
    });
  }

  /** Opens a run, anew or where it was: from now on workers may be admitted to it. Throws one sentence when it cannot be. */
  open(data: RunData, { boot, snapshot }: { boot: number; snapshot: RunSnapshot | null }): void {
    const { config } = data.setup;
    const setup = { ...data.setup, secret: derivedSecret(this.#options.secret, `spot checks/${config.id}`) };
    this.dispatch({ type: 'open', setup, boot, ...(snapshot && { snapshot }) });
    this.#data.set(config.id, data);
    this.#manifests.set(config.id, manifestOf(data));
  }

  /** Stops the timer; nothing is handled any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  dispatch(event: CoordinatorEvent): void {
    if (this.#closed) return;
    const nowMs = this.#options.nowMs();
    this.#options.onEvent?.(event, nowMs);
    const effects = this.#coordinator.handle(event, nowMs);
    for (const effect of effects) this.#perform(effect);
    this.#schedule();
    this.#options.onHandled?.(event, effects);
  }

  ask(event: (request: RequestId) => CoordinatorEvent, answer: Answer): () => void {
    const request = ++this.#requests;
    const asked = event(request);
    const { load } = this.#options;
    if (!load.shedding) return this.#ask(asked, request, answer);
    const next: Next = { kind: 'wait', retryAfterMs: load.retryAfterMs(Math.random()), reason: 'busy' };
    if (asked.type === 'pull') {
      answer({ next }, null);
      return () => undefined;
    }
    // What was computed is taken in, but no more work goes out.
    const made = asked.type === 'push' ? { ...asked, wantsNext: false } : asked;
    return this.#ask(made, request, (reply) => answer(reply.next.kind === 'stop' ? reply : { ...reply, next }, null));
  }

  #ask(made: CoordinatorEvent, request: RequestId, answer: Answer): () => void {
    this.#waiting.set(request, answer);
    this.dispatch(made);
    return () => {
      if (this.#waiting.delete(request) && 'run' in made) this.dispatch({ type: 'cancel', run: made.run, request });
    };
  }

  admit(hello: unknown, remote: Remote): Admission {
    return this.#admission.admit(hello, remote);
  }

  identity(token: string, run?: RunId): Identity | undefined {
    return this.#admission.identity(token, run);
  }

  has(run: RunId): boolean {
    return this.#coordinator.has(run);
  }

  manifest(run: RunId): RunManifest {
    const manifest = this.#manifests.get(run);
    if (!manifest) throw new Error(`invariant violation: no run "${run}"`);
    return manifest;
  }

  blob(sha256: string): Uint8Array | undefined {
    for (const { blobs } of this.#data.values()) {
      const blob = blobs.get(sha256);
      if (blob) return blob;
    }
    return undefined;
  }

  note = ({ run, kind, worker, text }: Note) => this.#options.onNote({ run, kind, worker, text });
  challenge = () => this.#admission.challenge();
  turned = () => this.#admission.turned();
  pace = () => this.#options.load.pace;
  /** Bytes of a shard of the run. */
  shard(run: RunId, index: number): Uint8Array {
    const { shards, blobs } = this.#data.get(run)!;
    return blobs.get(shards[index]!.sha256)!;
  }

  pushCodec = (run: RunId) => this.#coordinator.setup(run).config.codec.push;
  method = (run: RunId) => this.#coordinator.setup(run).config.method;
  admission = (run: RunId) => this.#coordinator.setup(run).config.admission;
  summaries = () => this.#coordinator.summaries(this.#options.nowMs());
  summary = (run: RunId) => this.#coordinator.summary(run, this.#options.nowMs());
  workers = (run: RunId) => this.#coordinator.workers(run, this.#options.nowMs());
  totals = (run: RunId) => this.#coordinator.totals(run);
  metrics = (run: RunId, since: number) => this.#coordinator.metrics(run, since);
  ledger = (run: RunId) => this.#coordinator.ledger(run);
  snapshot = (run: RunId, since: number): DashboardSnapshot => {
    const view = this.#coordinator.view(run, since, this.#options.nowMs());
    return { ...view, health: this.health(), notes: this.#options.notes(run) };
  };
  health = (): Health => this.#options.health();
  params = (run: RunId) => this.#coordinator.params(run);
  lease: Door['lease'] = (run, worker, lease) => this.#coordinator.lease(run, worker, lease);
  knowsLease: Door['knowsLease'] = (run, worker, lease) => this.#coordinator.knowsLease(run, worker, lease);

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'reply': {
        const answer = this.#waiting.get(effect.request);
        this.#waiting.delete(effect.request);
        return answer?.(effect.reply, effect.sent);
      }
      case 'control':
        return this.#options.onControl(effect.run, effect.worker, effect.kind);
      case 'evaluate':
      case 'trust':
      case 'recompute':
        return this.#options.onCompute(effect);
      case 'cut':
        return this.#options.onCut(effect.run, effect.worker);
      case 'note':
        return this.note(effect);
      default:
        effect satisfies never;
    }
  }

  /** One timer, moved only when the deadline comes nearer: most events leave it alone. */
  #schedule(): void {
    const deadlineMs = this.#coordinator.nextDeadlineMs();
    if (deadlineMs === null || deadlineMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = deadlineMs;
    const waitMs = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(deadlineMs - this.#options.nowMs())));
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity;
      this.dispatch({ type: 'tick' });
    }, waitMs);
  }
}

function manifestOf({ setup, shards }: RunData): RunManifest {
  const { config, model, layout, dataset } = setup;
  return {
    id: config.id,
    name: config.name,
    runKey: hashText(config.id),
    model,
    dataset,
    shards,
    parameters: layout.dim,
    layoutHash: layout.hash,
    pushCodec: config.codec.push,
    leasesPerWorker: config.leases.perWorker,
    heartbeatMs: HEARTBEAT_MS,
    pushBytesMax: envelopeBytes(PUSH_JSON_BYTES_MAX, frameBytes(layout.dim, config.codec.push)),
  };
}
