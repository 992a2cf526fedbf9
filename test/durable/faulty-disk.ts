// A disk in memory that can be told to fail at any call, to fill up, or to lose its power: then what was not synced is as
// likely gone as not.

import { dirname } from 'node:path';
import type { Disk, OpenFile } from '../../server/adapters/checkpoints/disk.ts';

interface Content {
  bytes: Buffer;
  /** What of it would be there after a loss of power. */
  durable: Buffer;
}

/** Thrown where a process would have been killed: nothing after it happens. */
export class Killed extends Error {}

export class FaultyDisk implements Disk {
  /** Names as programs see them, and as the disk has them. */
  #names = new Map<string, Content>();
  #durable = new Map<string, Content>();
  #calls = 0;
  #dead = false;
  /** Told of each call before it is made; it may throw. */
  before: (call: string, number: number) => void = () => undefined;
  /** Bytes that still fit. */
  free = Infinity;

  makeFolder = (): void => this.#call('makeFolder');
  list = (folder: string): string[] => {
    this.#call('list');
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === folder)
      .map((path) => path.slice(folder.length + 1));
  };
  read = (path: string): Uint8Array => {
    this.#call('read');
    const content = this.#names.get(path);
    if (!content) throw failure('ENOENT', `no such file or directory, open '${path}'`);
    return content.bytes;
  };
  peek = (path: string, bytes: number): Uint8Array => this.read(path).subarray(0, bytes);
  create = (path: string): OpenFile => {
    this.#call('create');
    const content: Content = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
    this.#names.set(path, content);
    return {
      write: (bytes) => {
        this.#call('write');
        const fits = Math.min(bytes.byteLength, this.free);
        this.free -= fits;
        content.bytes = Buffer.concat([content.bytes, bytes.subarray(0, fits)]);
        if (fits < bytes.byteLength) throw failure('ENOSPC', 'no space left on device, write');
      },
      sync: () => {
        this.#call('sync');
        content.durable = content.bytes;
      },
      close: () => this.#call('close'),
    };
  };
  rename = (from: string, to: string): void => {
    this.#call('rename');
    this.#names.set(to, this.#names.get(from)!);
    this.#names.delete(from);
  };
  syncFolder = (): void => {
    this.#call('syncFolder');
    this.#durable = new Map(this.#names);
  };
  remove = (path: string): void => {
    this.#call('remove');
    this.free += this.#names.get(path)?.bytes.length ?? 0;
    this.#names.delete(path);
  };

  /** Starts the machine again after a kill of the process: files are as it left them. */
  restart(): void {
    this.#dead = false;
    this.before = () => undefined;
  }

  /** Starts it after a loss of power: contents as synced, names as synced or, when `namesKept`, as they were last. */
  powerLost(namesKept: boolean): void {
    if (!namesKept) this.#names = new Map(this.#durable);
    for (const content of this.#names.values()) content.bytes = content.durable;
    this.restart();
  }

  /** Changes a file as a bad disk would. */
  spoil(path: string, edit: (bytes: Buffer) => Buffer): void {
    const content = this.#names.get(path)!;
    content.bytes = edit(Buffer.from(content.bytes));
  }

  #call(name: string): void {
    if (this.#dead) throw new Killed();
    this.#calls += 1;
    try {
      this.before(name, this.#calls);
    } catch (error) {
      if (error instanceof Killed) this.#dead = true;
      throw error;
    }
  }
}

export const failure = (code: string, message: string): Error =>
  Object.assign(new Error(`${code}: ${message}`), { code });
