// Reads published files from the operator's data folder, packed or not. Never writes there, never downloads. Whatever is
// wrong with a file is thrown as one sentence for the operator, a DataFileError.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** A file the operator has to see to. The message is one sentence: which file, where, and what to do. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError';
}

/** Where a data set's files lie, and where its publisher offers them. */
export interface Folder {
  readonly path: string;
  readonly publisher: string;
}

/** The bytes of a file, and the path they came from, for messages about them. */
export interface FoundFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Unpacked size at most: the largest published file, 60,000 images of 28 × 28, has 47 MB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

const unpack = promisify(gunzip);

/** Reads `name` from the folder, or else unpacks `name`.gz. */
export async function readPublished(folder: Folder, name: string): Promise<FoundFile> {
  const plain = join(folder.path, name);
  const bytes = await readIfThere(plain);
  if (bytes !== null) return { path: plain, bytes };
  const packed = await readIfThere(`${plain}.gz`);
  if (packed !== null) return { path: `${plain}.gz`, bytes: await unpackFile(`${plain}.gz`, packed) };
  throw new DataFileError(`No file ${name} or ${name}.gz in ${folder.path}: get it from ${folder.publisher}.`);
}

/** Runs a reader over a file's bytes; what the reader finds wrong becomes the operator's to mend. */
export function parsePublished<T>(file: FoundFile, read: (bytes: Uint8Array, path: string) => T): T {
  try {
    return read(file.bytes, file.path);
  } catch (error) {
    throw new DataFileError(`${messageOf(error)}.`, { cause: error });
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new DataFileError(`${path} cannot be read (${code}).`, { cause: error });
  }
}

async function unpackFile(path: string, packed: Uint8Array): Promise<Uint8Array> {
  try {
    return await unpack(packed, { maxOutputLength: MAX_FILE_BYTES });
  } catch (error) {
    throw new DataFileError(`${path} does not unpack (${messageOf(error)}): fetch it again.`, { cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
