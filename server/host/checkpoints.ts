// Writes every run down when it is due, one write at a time a run, and says what does not work. Training never waits for
// it: a snapshot is a copy in memory, and the disk is another thread's.

import { join } from 'node:path';
import type { RunConfig } from '../../shared/config.ts';
import type { RunId } from '../../shared/ids.ts';
import type { LayoutEntry } from '../../shared/model/layout.ts';
import type { Health, NoteKind, Problem } from '../../shared/protocol/snapshots.ts';
import { Cadence, type Moment } from '../adapters/checkpoints/cadence.ts';
import { checkpointName } from '../adapters/checkpoints/folder.ts';
import { encodeCheckpoint } from '../adapters/checkpoints/format.ts';
import type { DiskError, Write } from '../adapters/checkpoints/writer.ts';
import type { CoordinatorEvent, Effect } from '../core/events.ts';
import type { RunSnapshot } from '../core/snapshot.ts';

/** How often `look` should be called, for what time alone makes due: retries, intervals, disks that hang. */
export const LOOK_EVERY_MS = 1000;
/** A disk that takes longer to write one is told of as broken. */
const HANGING_MS = 8000;

export interface CheckpointsOptions {
  /** Has a folder for each run. */
  readonly folder: string;
  readonly boot: number;
  readonly write: Write;
  readonly snapshot: (run: RunId) => RunSnapshot;
  readonly version: (run: RunId) => number;
  /** Milliseconds that never go back. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** For anyone to read: it names no path. */
  readonly note: (run: RunId, kind: NoteKind, text: string) => void;
  /** For the operator alone: what exactly the disk said. */
  readonly failed: (run: RunId, error: Error) => void;
}

/** What is known of a run before its first checkpoint of this start. */
export interface Begun {
  readonly config: RunConfig;
  readonly layers: readonly LayoutEntry[];
  /** The one that it goes on from; null for a new run. */
  readonly resumed: { readonly version: number; readonly savedMs: number } | null;
  readonly damaged: readonly string[];
}

interface Writing {
  readonly began: Moment;
  readonly done: Promise<void>;
}

interface RunCheckpoints extends Begun {
  readonly cadence: Cadence;
  /** The last good one, by the wall clock. */
  last: { version: number; savedMs: number } | null;
  writing: Writing | null;
  /** Since when it does not work, and why; it was told. */
  trouble: { readonly sinceMs: number; readonly text: string } | null;
  failures: number;
}

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #runs = new Map<RunId, RunCheckpoints>();

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** From now on the run is written down; a new one at once, so that the next start knows of it. */
  open(begun: Begun): void {
    const { id, checkpoints } = begun.config;
    const cadence = new Cadence(checkpoints, this.#moment(id));
    if (!begun.resumed) cadence.want();
    this.#runs.set(id, { ...begun, cadence, last: begun.resumed, writing: null, trouble: null, failures: 0 });
    this.#look(id);
  }

  /** After every event: writes a run down when that is due by now. */
  handled(event: CoordinatorEvent, effects: readonly Effect[]): void {
    for (const effect of effects) if (isTurn(effect)) this.#runs.get(effect.run)?.cadence.want();
    if (!('run' in event)) return this.look();
    const cadence = this.#runs.get(event.run)?.cadence;
    cadence?.changed();
    if (event.type === 'method' || event.type === 'unban') cadence?.want();
    if (event.type === 'evaluated' && event.split === 'test') cadence?.want();
    this.#look(event.run);
  }

  /** Begins whatever is due by now. */
  look(): void {
    for (const id of this.#runs.keys()) this.#look(id);
  }

  /** Writes down what is not safe yet. Resolves when that is done, or has failed and was told. */
  async finish(): Promise<void> {
    await Promise.all(
      [...this.#runs].map(async ([id, run]) => {
        while (run.writing) await run.writing.done;
        if (run.cadence.unsafe(this.#options.version(id))) await this.#begin(id, run);
      }),
    );
  }

  /** Resolves when nothing is being written, whatever came of it. */
  async idle(): Promise<void> {
    for (const { writing } of this.#runs.values()) await writing?.done;
  }

  /** What is under way is no longer waited for, nor told of. */
  close(): void {
    this.#runs.clear();
  }

  problems(): Problem[] {
    const nowMs = this.#options.nowMs();
    return [...this.#runs].flatMap(([id, { trouble }]) => {
      if (!trouble) return [];
      return [{ kind: 'checkpoint', text: `run ${id}: ${trouble.text}`, forMs: Math.round(nowMs - trouble.sinceMs) }];
    });
  }

  health(): Health['checkpoints'] {
    const nowMs = this.#options.wallMs();
    return Object.fromEntries(
      [...this.#runs].map(([id, { last }]) => {
        return [id, last && { version: last.version, ageMs: Math.max(0, nowMs - last.savedMs) }];
      }),
    );
  }

  /** Writes that failed since the start. */
  failures(run: RunId): number {
    return this.#runs.get(run)?.failures ?? 0;
  }

  #look(id: RunId): void {
    const run = this.#runs.get(id);
    if (!run) return;
    const { writing, cadence, trouble } = run;
    const moment = this.#moment(id);
    if (!writing) {
      if (cadence.due(moment)) void this.#begin(id, run);
    } else if (!trouble && moment.nowMs - writing.began.nowMs >= HANGING_MS) {
      this.#troubled(id, run, `the disk has not taken a checkpoint for ${HANGING_MS / 1000} s`);
    }
  }

  #begin(id: RunId, run: RunCheckpoints): Promise<void> {
    const began = this.#moment(id);
    run.cadence.begun();
    const done = this.#write(id, run, began).finally(() => {
      run.writing = null;
    });
    run.writing = { began, done };
    return done;
  }

  async #write(id: RunId, run: RunCheckpoints, began: Moment): Promise<void> {
    const { folder, boot, write, wallMs } = this.#options;
    const { config, damaged, cadence } = run;
    const savedMs = wallMs();
    const { version } = began;
    const { keep } = config.checkpoints;
    try {
      const encoded = this.#encoded(id, run, savedMs);
      const name = checkpointName({ version, boot });
      const { left } = await write({ folder: join(folder, id), name, encoded, keep, damaged });
      if (!this.#runs.has(id)) return;
      cadence.saved(began, this.#options.nowMs());
      run.last = { version, savedMs };
      if (left === null) this.#mended(id, run);
      else this.#troubled(id, run, `old checkpoints cannot be removed (${left}): they will fill the disk`);
    } catch (error) {
      if (!this.#runs.has(id)) return;
      run.failures += 1;
      cadence.failed(this.#options.nowMs());
      const text = inWords(error as DiskError);
      if (run.trouble?.text !== text) this.#options.failed(id, error as DiskError);
      this.#troubled(id, run, text);
    }
  }

  /** By itself, so that the snapshot is gone while its bytes are written: some MB, in many small objects. */
  #encoded(id: RunId, { layers }: RunCheckpoints, savedMs: number): ReturnType<typeof encodeCheckpoint> {
    const { boot, snapshot } = this.#options;
    return encodeCheckpoint({ snapshot: snapshot(id), boot, savedAt: new Date(savedMs).toISOString() }, layers);
  }

  /** Told when it begins, and when its reason becomes another. */
  #troubled(id: RunId, run: RunCheckpoints, text: string): void {
    if (run.trouble?.text === text) return;
    run.trouble = { sinceMs: run.trouble?.sinceMs ?? this.#options.nowMs(), text };
    this.#options.note(id, 'trouble', text);
  }

  #mended(id: RunId, run: RunCheckpoints): void {
    if (!run.trouble) return;
    run.trouble = null;
    this.#options.note(id, 'mended', `checkpoints are written again: version ${run.last!.version} is safe`);
  }

  #moment(id: RunId): Moment {
    return { nowMs: this.#options.nowMs(), version: this.#options.version(id) };
  }
}

/** What must not be lost by a crash a moment later: the run paused, went on or ended, went back, or somebody was banned. */
function isTurn(effect: Effect): effect is Extract<Effect, { run: RunId }> {
  if (effect.type === 'control') return effect.worker === 'all';
  return effect.type === 'cut' || (effect.type === 'note' && effect.kind === 'rolled-back');
}

/** What is wrong, and what an operator can do about it. */
function inWords({ code }: DiskError): string {
  const remedies: Readonly<Record<string, string>> = {
    ENOSPC: 'the disk is full: make room on it',
    EDQUOT: 'the quota is used up: make room',
    EROFS: 'the disk is read-only: make it writable again, and look at the system’s log for why',
    EACCES: 'that is not permitted: give the coordinator’s user the right to write there',
    EPERM: 'that is not permitted: give the coordinator’s user the right to write there',
    EIO: 'the disk has an error: look at the system’s log',
  };
  const remedy = (code && remedies[code]) || `the log says why (${code ?? 'no code'})`;
  return `no checkpoint can be written in the state folder: ${remedy}; training goes on, and a crash would take it back to the last good one`;
}
