// `npm run sim` in a process of its own, to its end.

import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  /** Called whenever something was written to the standard error, with all of it. */
  readonly onErr?: (text: string, kill: () => void) => void;
  readonly dataDir?: string;
}

export function sim(args: readonly string[], { onErr, dataDir }: Around = {}): Promise<Ended> {
  const env = { ...process.env, ...(dataDir !== undefined && { DATA_DIR: dataDir }) };
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'server/host/sim/main.ts', ...args], { env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
      onErr?.(err, () => child.kill('SIGINT'));
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
