// The replay command, but for the command line: a trace of explicit events, or the recorded log of a live run, played
// into the real aggregation code. Nothing here computes anything.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { asRunId } from '../../shared/ids.ts';
import { readRecording } from '../adapters/recorder.ts';
import { playTrace, type TraceResult } from '../core/trace.ts';
import { loadMethods, methodNamed } from '../registry.ts';
import { rerun } from './rerun.ts';
import { parseTrace } from './tracefile.ts';

export interface ReplayedRun {
  readonly id: string;
  readonly version: number;
  readonly samples: number;
  /** Of θ's float32 values, little-endian. */
  readonly thetaSha256: string;
}

/** Plays a trace file. Throws one sentence that names the file, and the event when it is one. */
export async function replayTrace(file: string): Promise<{ events: TraceResult[] }> {
  const trace = parseTrace(await read(file), file);
  const methods = await loadMethods();
  return within(file, () => ({ events: playTrace({ ...trace, method: methodNamed(methods, trace.config.name) }) }));
}

/** Plays a recorded log, and says where each of its runs ended. Throws one sentence that names the file. */
export async function replayLog(file: string): Promise<{ runs: ReplayedRun[] }> {
  const records = await readRecording(file).catch((error: NodeJS.ErrnoException) => {
    throw error instanceof SyntaxError
      ? new Error(`${file} is not a log written by --record`)
      : unreadable(file, error);
  });
  const last = records.at(-1);
  if (!last) throw new Error(`${file} is not a log written by --record: there is no whole record in it`);
  const methods = await loadMethods();
  const coordinator = within(file, () => rerun(records, methods));
  const runs = coordinator.summaries(last.nowMs).map(({ id, version, samples }) => {
    const theta = coordinator.params(asRunId(id));
    const bytes = new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength);
    return { id, version, samples, thetaSha256: createHash('sha256').update(bytes).digest('hex') };
  });
  return { runs };
}

/** What is thrown inside names the file. */
function within<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(file, error);
  });
}

function unreadable(file: string, error: NodeJS.ErrnoException): Error {
  return new Error(`cannot read ${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
}
