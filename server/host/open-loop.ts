// The coordinator with everything around it but its sockets: clock, evaluator, event log, checkpoints, watch over its load.

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Problem } from '../../shared/protocol/snapshots.ts';
import { Evaluator } from '../adapters/evaluator.ts';
import { Recorder, setAside } from '../adapters/recorder.ts';
import { Coordinator } from '../core/coordinator.ts';
import { TIMING, type Timing } from '../limits.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { StateFolder } from './durable.ts';
import type { Ends } from './ends.ts';
import { keepBooks, type Bookkeeping } from './bookkeeping.ts';
import { compute } from './compute.ts';
import { healthOf } from './health.ts';
import { Loop, type LoopOptions } from './loop.ts';
import { watchLoad } from './overload.ts';
import type { Opening } from './resume.ts';
import type { RunData } from './rundata.ts';

export interface OpenLoopOptions {
  readonly secret: Buffer;
  /** Where runs are written down; null for nowhere. */
  readonly folder: StateFolder | null;
  readonly record: string | null;
  readonly stateDir?: string | undefined;
  /** Of the records: `postgres://…`, null for the state folder, absent for none. */
  readonly databaseUrl?: string | null | undefined;
  readonly timing?: Timing | undefined;
  readonly log: Logger;
}

/** What the loop tells the sockets, when there are any. */
export interface Wires {
  control: LoopOptions['onControl'];
  cut: LoopOptions['onCut'];
}

export interface OpenedLoop {
  readonly loop: Loop;
  readonly coordinator: Coordinator;
  readonly evaluator: Evaluator;
  readonly wires: Wires;
  readonly checkpoints: Checkpoints | null;
  readonly books: Bookkeeping;
}

export async function openLoop(options: OpenLoopOptions, ends: Ends): Promise<OpenedLoop> {
  const { secret, folder, log } = options;
  const books = keepBooks({ ...options, door: () => loop }, ends);
  const { recorder, problems: recorderProblems } = await openRecorder(options, ends);
  const evaluator = new Evaluator();
  ends.add(() => evaluator.close());
  const coordinator = new Coordinator();
  const nowMs = (): number => performance.now();
  const wires: Wires = { control: () => undefined, cut: () => undefined };
  const keeping = folder?.keep({
    nowMs,
    snapshot: (run) => coordinator.snapshot(run, nowMs()),
    version: (run) => coordinator.version(run),
    note: (run, kind, text) => loop.note({ run, kind, worker: null, text }),
    failed: (run, error) => log.error({ run, err: error }, 'a checkpoint could not be written'),
  });
  if (keeping) ends.add(() => keeping.close());
  const checkpoints = keeping?.checkpoints ?? null;
  const overload = watchLoad((options.timing ?? TIMING).busyMs, {
    runs: () => loop.summaries(),
    note: (note) => loop.note(note),
  });
  ends.add(() => overload.close());
  const { load } = overload;
  const loop: Loop = new Loop({
    load,
    coordinator,
    secret,
    nowMs,
    onControl: (run, worker, kind) => wires.control(run, worker, kind),
    onCompute: (effect) => compute(effect, { evaluator, loop, log }),
    onNote: (note) => {
      const { run, kind, worker, text } = note;
      if (kind !== 'measured') log[kind === 'trouble' ? 'error' : 'info']({ run, ...(worker && { worker }) }, text);
      books.note(note);
    },
    notes: (run) => books.notes.latest(run),
    // Not at once: what the same event answers is still told.
    onCut: (run, worker) => queueMicrotask(() => wires.cut(run, worker)),
    onEvent: (event, atMs) => recorder?.record(event, atMs),
    onHandled: (event, effects) => {
      checkpoints?.handled(event, effects);
      books.handled(event);
    },
    health: () =>
      healthOf({
        problems: [
          () => [load.problem()].filter((problem) => problem !== null),
          () => checkpoints?.problems() ?? [],
          recorderProblems,
          () => books.problems(),
        ],
        checkpoints: () => checkpoints?.health() ?? {},
        eventLoopDelayMs: () => load.p99Ms,
      }),
  });
  return { loop, coordinator, evaluator, wires, checkpoints, books };
}

/** Opens each run, anew or where it was, and has it written down from then on. */
export function openRun(data: RunData, opening: Opening, boot: number, opened: OpenedLoop): void {
  const { loop, evaluator, checkpoints, books } = opened;
  const { config, model, layout, dataset: spec } = data.setup;
  const { validation, test } = data.dataset;
  const scale = { mean: spec.mean, deviation: spec.deviation };
  evaluator.add({ run: config.id, model, layout, scale, splits: { validation, test } });
  const { snapshot, resumed, skipped } = opening;
  books.opened(config.id, resumed !== null);
  loop.open(data, { boot, snapshot });
  books.follow(config.id);
  if (!resumed) loop.note({ run: config.id, kind: 'run', worker: null, text: 'the run begins' });
  checkpoints?.open({ config, layers: layout.entries, resumed, damaged: skipped.map(({ name }) => name) });
  for (const { name, reason } of skipped) {
    const text = `${name} is passed over: ${reason}`;
    loop.note({ run: config.id, kind: 'trouble', worker: null, text });
  }
}

/** A log begins with its run, or with what the run went on from: an earlier one is kept beside it. */
async function openRecorder(
  { record, log }: OpenLoopOptions,
  ends: Ends,
): Promise<{ recorder: Recorder | null; problems: () => Problem[] }> {
  if (record === null) return { recorder: null, problems: () => [] };
  await mkdir(dirname(record), { recursive: true });
  const earlier = await setAside(record);
  if (earlier !== null) log.info({ record, earlier }, 'the earlier event log was set aside');
  let failedAtMs: number | null = null;
  const recorder = new Recorder(record, (error) => {
    failedAtMs = performance.now();
    log.error({ err: error, record }, 'the event log ends here: it cannot be written');
  });
  ends.add(() => recorder.close());
  const text = 'the event log cannot be written any more: the log says why; make room and start again to have one';
  const problems = (): Problem[] =>
    failedAtMs === null ? [] : [{ kind: 'event-log', text, forMs: Math.round(performance.now() - failedAtMs) }];
  return { recorder, problems };
}
