// A folder of checkpoints on a disk that fails: whatever happens at whatever step, there is always one that can be read.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { realDisk, type Disk } from '../../server/adapters/checkpoints/disk.ts';
import {
  checkpointName,
  highestBoot,
  newestFirst,
  newestGood,
  writeCheckpoint,
  type Written,
} from '../../server/adapters/checkpoints/folder.ts';
import { encodeCheckpoint } from '../../server/adapters/checkpoints/format.ts';
import { failure, FaultyDisk, Killed } from './faulty-disk.ts';
import { LAYERS, snapshotOf } from './snapshots.ts';

const FOLDER = '/state/runs/digits';

function write(
  disk: Disk,
  version: number,
  { boot = 1, keep = 3, folder = FOLDER, damaged = [] as string[] } = {},
): Written {
  const checkpoint = { snapshot: snapshotOf(version), boot, savedAt: '2026-01-02T03:04:05.000Z' };
  const encoded = encodeCheckpoint(checkpoint, LAYERS);
  return writeCheckpoint(disk, { folder, name: checkpointName({ version, boot }), encoded, keep, damaged });
}

/** The version that a start would go on from. */
const version = (disk: Disk, folder = FOLDER): number | undefined =>
  newestGood(disk, folder).checkpoint?.snapshot.version;

/** A disk with as many checkpoints as are kept: the next write removes one. */
function filled(): FaultyDisk {
  const disk = new FaultyDisk();
  write(disk, 0);
  write(disk, 1);
  return disk;
}

/** Names of the calls that one write makes. */
function callsOfOneWrite(): string[] {
  const disk = filled();
  const calls: string[] = [];
  disk.before = (call) => void calls.push(call);
  write(disk, 2, { keep: 2 });
  return calls;
}

describe('a checkpoint on its way to the disk', () => {
  it('[C2] is written, synced, renamed, and its name synced, in this order', () => {
    const calls = callsOfOneWrite().filter((call) => call !== 'write');
    expect(calls).toEqual(['makeFolder', 'create', 'sync', 'close', 'rename', 'syncFolder', 'list', 'remove']);
  });

  const calls = callsOfOneWrite();
  it.each(calls.map((call, i) => [i + 1, call]))(
    '[C2] [P5] a kill before its call %i (%s) leaves the one before it, or the new one whole',
    (number) => {
      for (const loss of ['kill', 'power, names kept', 'power, names lost']) {
        const disk = filled();
        let count = 0;
        disk.before = () => {
          if (++count === number) throw new Killed();
        };
        try {
          write(disk, 2, { keep: 2 });
        } catch (error) {
          expect(error).toBeInstanceOf(Killed);
        }
        expect(count).toBeGreaterThanOrEqual(number);
        if (loss === 'kill') disk.restart();
        else disk.powerLost(loss === 'power, names kept');
        const after = newestGood(disk, FOLDER);
        expect([1, 2]).toContain(after.checkpoint!.snapshot.version);
        expect(disk.list(FOLDER).filter((name) => name.startsWith('.'))).toEqual([]);
        write(disk, 3, { boot: 2 });
        expect(version(disk)).toBe(3);
      }
    },
  );

  it('[C2] is durable when its write has returned', () => {
    const disk = new FaultyDisk();
    write(disk, 1);
    disk.powerLost(false);
    expect(version(disk)).toBe(1);
  });

  it.each(calls.map((call, i) => [i + 1, call]))(
    '[C2] [P6] an error of its call %i (%s) is told, leaves the old one whole, and no rubbish',
    (number, call) => {
      const disk = filled();
      let count = 0;
      disk.before = () => {
        if (++count === number) throw failure('EIO', 'i/o error');
      };
      const writing = (): Written => write(disk, 2, { keep: 2 });
      if (call === 'list' || call === 'remove') expect(writing().left).toContain('EIO');
      else expect(writing).toThrow('EIO');
      disk.restart();
      expect(disk.list(FOLDER).filter((name) => name.startsWith('.'))).toEqual([]);
      const [found] = [newestGood(disk, FOLDER)];
      expect(found.skipped).toEqual([]);
      expect([1, 2]).toContain(found.checkpoint!.snapshot.version);
    },
  );

  it('[C2] [P6] a disk that fills up at any byte keeps the old one whole', () => {
    const whole = write(new FaultyDisk(), 1).bytes;
    for (let free = 0; free < whole; free += 97) {
      const disk = new FaultyDisk();
      write(disk, 1);
      disk.free = free;
      expect(() => write(disk, 2)).toThrow('ENOSPC');
      expect(version(disk)).toBe(1);
      expect(disk.free).toBe(free); // what did not fit was removed again
      disk.free = whole;
      write(disk, 3);
      expect(version(disk)).toBe(3);
    }
  });
});

describe('the checkpoints that are kept', () => {
  const names = (disk: Disk): string[] => newestFirst(disk.list(FOLDER));

  it('[C2] are the latest K, of which a damaged one is none', () => {
    const disk = new FaultyDisk();
    for (const one of [10, 20, 30, 40]) write(disk, one);
    expect(names(disk)).toEqual([40, 30, 20].map((at) => checkpointName({ version: at, boot: 1 })));
    const damaged = [checkpointName({ version: 40, boot: 1 })];
    write(disk, 35, { boot: 2, damaged });
    expect(names(disk).map((name) => name.slice(11, 20))).toEqual(['000000035', '000000040', '000000030', '000000020']);
    write(disk, 45, { boot: 2, damaged });
    write(disk, 55, { boot: 2, damaged });
    expect(names(disk).map((name) => name.slice(11, 20))).toEqual(['000000055', '000000045', '000000035']);
  });

  it('[C2] are not counted by their version alone: a later boot may have gone back', () => {
    const disk = new FaultyDisk();
    write(disk, 90, { boot: 1 });
    write(disk, 50, { boot: 2 });
    expect(version(disk)).toBe(50);
    expect(highestBoot(disk.list(FOLDER))).toBe(2);
    expect(highestBoot([])).toBe(0);
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length / 2), /damaged or cut short/],
    ['empty', () => Buffer.alloc(0), /cut short: it has 0 bytes/],
    ['with one bit flipped', (bytes) => (bytes.writeUInt8(bytes.at(-9)! ^ 4, bytes.length - 9), bytes), /damaged/],
  ])('[C2] [P5] the newest is skipped with its reason when it is %s', (_, edit, reason) => {
    const disk = new FaultyDisk();
    write(disk, 1);
    write(disk, 2);
    const newest = checkpointName({ version: 2, boot: 1 });
    disk.spoil(join(FOLDER, newest), edit);
    const found = newestGood(disk, FOLDER);
    expect(found.checkpoint?.snapshot.version).toBe(1);
    expect(found.skipped).toEqual([{ name: newest, reason: expect.stringMatching(reason) as string }]);
  });

  it('[C2] are none in a folder of other things', () => {
    const disk = new FaultyDisk();
    disk.create(join(FOLDER, 'checkpoint.safetensors'));
    disk.create(join(FOLDER, 'checkpoint-1-1.safetensors.bak'));
    expect(newestGood(disk, FOLDER)).toEqual({ checkpoint: null, name: null, skipped: [] });
    expect(newestGood(disk, '/none').checkpoint).toBeNull();
  });
});

describe('a real disk', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) {
      if (mounted.delete(folder)) execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
  const mounted = new Set<string>();
  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'murmuration-disk-'));
    folders.push(folder);
    return folder;
  };

  it('[C2] keeps what was written, in folders that were not there', () => {
    const folder = join(temporary(), 'a', 'b');
    for (const one of [1, 2, 3, 4]) write(realDisk, one, { folder });
    expect(version(realDisk, folder)).toBe(4);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('[C2] [P6] that is full, or read only, says so and keeps the old one whole', ({ skip }) => {
    const folder = temporary();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      return skip('mounting a file system is not permitted here');
    }
    mounted.add(folder);
    write(realDisk, 1, { folder });
    const before = readdirSync(folder);
    const ballast = realDisk.create(join(folder, 'ballast'));
    expect(() => ballast.write(new Uint8Array(65_536))).toThrow('ENOSPC');
    ballast.close();
    expect(() => write(realDisk, 2, { folder })).toThrow('ENOSPC');
    expect(readdirSync(folder)).toEqual(['ballast', ...before]);
    expect(version(realDisk, folder)).toBe(1);
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    expect(() => write(realDisk, 2, { folder })).toThrow('EROFS');
    expect(version(realDisk, folder)).toBe(1);
    execFileSync('mount', ['-o', 'remount,rw', folder]);
    realDisk.remove(join(folder, 'ballast'));
    write(realDisk, 2, { folder });
    expect(version(realDisk, folder)).toBe(2);
  });
});
