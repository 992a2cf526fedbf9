// Checkpoints of a live run: when they are written, and what is said while they cannot be. The disk is one that fails.

import { beforeEach, describe, expect, it } from 'vitest';
import { newestGood, writeCheckpoint } from '../../server/adapters/checkpoints/folder.ts';
import { DiskError, type Write } from '../../server/adapters/checkpoints/writer.ts';
import type { CoordinatorEvent, Effect } from '../../server/core/events.ts';
import { Checkpoints } from '../../server/host/checkpoints.ts';
import { asLeaseId, asRunId, asWorkerId } from '../../shared/ids.ts';
import { digitsRun } from '../server/harness.ts';
import { failure, FaultyDisk } from './faulty-disk.ts';
import { LAYERS, snapshotOf } from './snapshots.ts';

const run = asRunId('digits');
const worker = asWorkerId('w1');
const release: CoordinatorEvent = { type: 'release', run, worker, leases: [asLeaseId('x')] };
const layers = LAYERS.map((layer, i) => ({ ...layer, layer: i, role: 'kernel' as const, fanIn: 1 }));

let disk: FaultyDisk;
let nowMs: number;
let version: number;
let notes: string[];
let failed: string[];
let checkpoints: Checkpoints;
/** Writes that wait for the disk; each is done when it is called. */
let held: (() => void)[] | null;
let writes: number;

/** As the thread does it, but that the test decides when. */
const write: Write = async (job) => {
  writes += 1;
  if (held) await new Promise<void>((resolve) => held!.push(resolve));
  try {
    return writeCheckpoint(disk, job);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    throw new DiskError(message, code ?? null);
  }
};

const open = (resumed: { version: number; savedMs: number } | null = null): void =>
  checkpoints.open({ config: digitsRun('checkpoints: { keep: 3 }'), layers, resumed, damaged: [] });
const stored = (): number | undefined => newestGood(disk, '/state/runs/digits').checkpoint?.snapshot.version;
/** Lets the promises of a write that is done run their course. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
};

beforeEach(() => {
  disk = new FaultyDisk();
  [nowMs, version, writes, notes, failed, held] = [0, 0, 0, [], [], null];
  checkpoints = new Checkpoints({
    folder: '/state/runs',
    boot: 1,
    write,
    snapshot: () => snapshotOf(version),
    version: () => version,
    nowMs: () => nowMs,
    wallMs: () => 1_700_000_000_000 + nowMs,
    note: (_, kind, text) => void notes.push(`${kind}: ${text}`),
    failed: (_, error) => void failed.push(error.message),
  });
});

describe('a run', () => {
  it('[C3] is written down at once when it is new, and not when it goes on', async () => {
    open();
    await settled();
    expect(stored()).toBe(0);
    checkpoints.close();
    open({ version: 0, savedMs: 0 });
    await settled();
    expect(writes).toBe(1);
  });

  it('[C3] is written down after 200 versions, or after 60 s in which something happened', async () => {
    open();
    await settled(); // it is known now that one takes no time
    nowMs = 59_000;
    version = 199;
    checkpoints.handled(release, []);
    expect(writes).toBe(1);
    version = 200;
    checkpoints.handled(release, []);
    await settled();
    expect(stored()).toBe(200);
    nowMs += 59_749;
    checkpoints.handled(release, []);
    expect(writes).toBe(2);
    nowMs += 1;
    checkpoints.look();
    await settled();
    expect(writes).toBe(3);
  });

  it.each<[string, CoordinatorEvent, Effect[]]>([
    ['paused', { type: 'operator', run, command: 'pause' }, [{ type: 'control', run, worker: 'all', kind: 'pause' }]],
    ['finished, by a push', release, [{ type: 'control', run, worker: 'all', kind: 'stop' }]],
    ['finished, by time', { type: 'tick' }, [{ type: 'control', run, worker: 'all', kind: 'stop' }]],
    ['measured for the last time', { type: 'evaluated', run, version: 1, split: 'test', loss: 1, accuracy: 1 }, []],
    ['rid of somebody', release, [{ type: 'cut', run, worker }]],
    ['gone back', release, [{ type: 'note', run, kind: 'rolled-back', worker: null, text: '' }]],
  ])('[C3] is written down at once when it is %s', async (_, event, effects) => {
    open();
    await settled();
    version = 1;
    checkpoints.handled(event, effects);
    await settled();
    expect(stored()).toBe(1);
  });

  it('[C3] is not written down for what a worker is told alone', async () => {
    open();
    await settled();
    version = 1;
    checkpoints.handled(release, [{ type: 'control', run, worker, kind: 'pause' }]);
    expect(writes).toBe(1);
  });

  it('[C3] has one write at a time: what comes meanwhile waits, and is one', async () => {
    held = [];
    open();
    for (version = 200; version <= 2000; version += 200) checkpoints.handled(release, []);
    version = 2100;
    expect(writes).toBe(1);
    held.shift()!();
    await settled();
    checkpoints.handled(release, []);
    checkpoints.handled(release, []);
    expect(writes).toBe(2);
    held.shift()!();
    await settled();
    expect(stored()).toBe(2100);
  });

  it('[C6] is on the disk before anyone is served, if that can be', async () => {
    held = [];
    open();
    let idle = false;
    void checkpoints.idle().then(() => (idle = true));
    await settled();
    expect(idle).toBe(false);
    held.shift()!();
    await settled();
    expect(idle).toBe(true);
    expect(stored()).toBe(0);
  });

  it('[C8] is whole on the disk when the coordinator has finished, the write under way first', async () => {
    held = [];
    open();
    version = 5;
    const finished = checkpoints.finish();
    held.shift()!();
    await settled();
    expect(writes).toBe(2);
    held.shift()!();
    await finished;
    expect(stored()).toBe(5);
    await checkpoints.finish();
    expect(writes).toBe(2); // nothing has changed
  });
});

describe('a disk that fails', () => {
  const full = (): void => {
    disk.before = (call) => {
      if (call === 'write') throw failure('ENOSPC', 'no space left on device, write');
    };
  };

  it('[C4] [P6] is told of at once with what to do, tried again, and told of when it works', async () => {
    open();
    await settled();
    full();
    version = 200;
    checkpoints.handled(release, []);
    await settled();
    expect(notes).toEqual([expect.stringMatching(/^trouble: no checkpoint can be written in .*the disk is full/)]);
    expect(failed).toEqual(['ENOSPC: no space left on device, write']); // the log has it in the disk's words
    nowMs = 400;
    expect(checkpoints.problems()).toEqual([
      { kind: 'checkpoint', text: expect.stringMatching(/^run digits: .*full/) as string, forMs: 400 },
    ]);
    expect(checkpoints.failures(run)).toBe(1);
    expect(checkpoints.health()).toEqual({ digits: { version: 0, ageMs: 400 } });
    nowMs = 1000;
    checkpoints.look();
    await settled();
    expect(checkpoints.failures(run)).toBe(2);
    expect(notes).toHaveLength(1); // the same reason is told once
    expect(stored()).toBe(0); // the old one is whole
    disk.restart();
    nowMs = 3000;
    checkpoints.look();
    await settled();
    expect(stored()).toBe(200);
    expect(notes[1]).toMatch(/^mended: .*version 200 is safe/);
    expect(checkpoints.problems()).toEqual([]);
  });

  it('[C4] [P6] is told of again when it is broken in another way', async () => {
    full();
    open();
    await settled();
    nowMs = 1000;
    disk.before = (call) => {
      if (call === 'makeFolder') throw failure('EROFS', 'read-only file system');
    };
    checkpoints.look();
    await settled();
    expect(notes.map((note) => /full|read-only/.exec(note)?.[0])).toEqual(['full', 'read-only']);
    expect(checkpoints.problems()[0]).toMatchObject({ forMs: 1000 });
  });

  it('[C4] [P6] is told of within 10 s when it does not answer at all', async () => {
    held = [];
    open();
    nowMs = 7000;
    checkpoints.look();
    expect(notes).toEqual([]);
    nowMs = 9000;
    checkpoints.look();
    expect(notes).toEqual([expect.stringMatching(/^trouble: the disk has not taken a checkpoint for 8 s/)]);
    held.shift()!();
    await settled();
    expect(notes[1]).toMatch(/^mended/);
  });

  it('[C4] is told of when only the old checkpoints cannot be removed', async () => {
    open();
    for (const at of [200, 400, 600]) {
      await settled();
      if (at === 600) {
        disk.before = (call) => {
          if (call === 'remove') throw failure('EACCES', 'permission denied');
        };
      }
      version = at;
      checkpoints.handled(release, []);
    }
    await settled();
    expect(stored()).toBe(600);
    expect(notes).toEqual([expect.stringMatching(/old checkpoints cannot be removed \(EACCES.*fill the disk/)]);
  });
});
