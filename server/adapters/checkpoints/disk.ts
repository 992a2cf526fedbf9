// What a checkpoint needs of a file system, and nothing more: so that each step of it can be made to fail in a test. Calls
// block: they are made in a thread of their own, or before the coordinator serves anyone.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface OpenFile {
  /** All of it. */
  write(bytes: Uint8Array): void;
  /** Returns when what was written is on the disk. */
  sync(): void;
  close(): void;
}

export interface Disk {
  /** With its parents; durable, and nothing when it is there. */
  makeFolder(path: string): void;
  /** Names in a folder; none when there is no folder. */
  list(folder: string): string[];
  read(path: string): Uint8Array;
  /** Its first bytes, at most so many. */
  peek(path: string, bytes: number): Uint8Array;
  /** Empty, whatever was there. */
  create(path: string): OpenFile;
  /** Replaces `to` whole. */
  rename(from: string, to: string): void;
  /** Returns when the names in a folder are on the disk. */
  syncFolder(path: string): void;
  /** Nothing when it is not there. */
  remove(path: string): void;
}

export const realDisk: Disk = {
  makeFolder(path) {
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      realDisk.syncFolder(dirname(made));
      if (made === first || made === dirname(made)) return;
    }
  },
  list(folder) {
    try {
      return readdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  read: (path) => readFileSync(path),
  peek(path, bytes) {
    const file = openSync(path, 'r');
    try {
      const beginning = new Uint8Array(bytes);
      return beginning.subarray(0, readSync(file, beginning));
    } finally {
      closeSync(file);
    }
  },
  create(path) {
    const file = openSync(path, 'w', 0o644);
    return {
      write(bytes) {
        for (let at = 0; at < bytes.byteLength;) at += writeSync(file, bytes, at);
      },
      sync: () => fsyncSync(file),
      close: () => closeSync(file),
    };
  },
  rename: renameSync,
  syncFolder(path) {
    if (process.platform === 'win32') return; // folders cannot be opened there; NTFS writes their names by its journal
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  },
  remove: (path) => rmSync(path, { force: true }),
};
