// The state folder is one coordinator's at a time, however the one before it ended; and its starts are numbered.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realDisk } from '../../server/adapters/checkpoints/disk.ts';
import { nextBoot } from '../../server/host/boot.ts';
import { lockFolder } from '../../server/host/lock.ts';
import { failure, FaultyDisk } from './faulty-disk.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'murmuration-state-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the lock of a state folder', () => {
  it('[C5] is one coordinator’s at a time', async () => {
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(/another coordinator is using the state folder .* --state/);
    await unlock();
    await (
      await lockFolder(folder)
    )();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('[C5] is one’s, however many ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => lockFolder(folder)));
    const locks = asked.filter((result) => result.status === 'fulfilled');
    expect(locks).toHaveLength(1);
    await locks[0]!.value();
  });

  it('[C5] is free when its process was killed, with nothing to clear away by hand', async () => {
    const url = new URL('../../server/host/lock.ts', import.meta.url).href;
    const script = `import(${JSON.stringify(url)}).then(({ lockFolder }) => lockFolder(process.argv[1])).then(() => { console.log('locked'); setInterval(() => {}, 1000); })`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(lockFolder(folder)).rejects.toThrow('another coordinator');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(folder)).toEqual(['lock']); // the socket is there still, but nobody answers
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow('another coordinator');
    await unlock();
  });

  it('[C5] holds in a folder whose path is too long for a socket', async () => {
    const deep = join(folder, 'x'.repeat(60), 'y'.repeat(60));
    mkdirSync(deep, { recursive: true });
    const unlock = await lockFolder(deep);
    await expect(lockFolder(deep)).rejects.toThrow('another coordinator');
    await unlock();
    await (
      await lockFolder(deep)
    )();
  });
});

describe('the number of a start', () => {
  it('[C5] is one more each time, and never less than a checkpoint has', () => {
    expect([1, 2, 3].map(() => nextBoot(realDisk, folder, 0).number)).toEqual([1, 2, 3]);
    expect(nextBoot(realDisk, folder, 9)).toEqual({ number: 10, problem: null });
    expect(nextBoot(realDisk, folder, 2).number).toBe(11);
    expect(readdirSync(folder)).toEqual(['boot']);
  });

  it('[C5] [P6] is one that was never there when it cannot be written down, and that is told', () => {
    const disk = new FaultyDisk();
    expect(nextBoot(disk, '/state', 0).number).toBe(1);
    disk.before = (call) => {
      if (call === 'create') throw failure('ENOSPC', 'no space left on device');
    };
    const drawn = [1, 2, 3].map(() => nextBoot(disk, '/state', 0));
    expect(new Set(drawn.map(({ number }) => number)).size).toBe(3);
    for (const { number, problem } of drawn) {
      expect(number).toBeGreaterThan(1);
      expect(problem).toMatch('ENOSPC');
    }
  });

  it('[C5] starts again from what checkpoints say when its file is damaged', () => {
    const file = realDisk.create(join(folder, 'boot'));
    file.write(Buffer.from('\0\0\0'));
    file.close();
    expect(nextBoot(realDisk, folder, 4).number).toBe(5);
  });
});
