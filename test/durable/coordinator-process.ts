// A coordinator as an operator has it: a process of its own, started from the command line, that can be killed.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class CoordinatorProcess {
  readonly url: string;
  readonly adminToken: string;
  /** From the start of the process until it served, by the clock. */
  readonly startedInMs: number;
  readonly #child: ChildProcess;
  readonly #output: string[];

  private constructor(
    child: ChildProcess,
    output: string[],
    said: Pick<CoordinatorProcess, 'url' | 'adminToken' | 'startedInMs'>,
  ) {
    this.#child = child;
    this.#output = output;
    this.url = said.url;
    this.adminToken = said.adminToken;
    this.startedInMs = said.startedInMs;
  }

  /** Resolves when it answers. Rejects with what it said when it ends before. */
  static async start(
    stateDir: string,
    args: readonly string[] = [],
    nodeArgs: readonly string[] = [],
  ): Promise<CoordinatorProcess> {
    const beganMs = performance.now();
    const { child, output } = launch(stateDir, args, nodeArgs);
    const operator = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout!).on('line', (line) => {
        output.push(line);
        const found = /^ {2}Operator +(\S+)/.exec(line);
        if (found) resolve(found[1]!);
      });
      child.once('exit', () => reject(new Error(output.join('\n'))));
    });
    const [base, adminToken] = operator.split('/admin#token=') as [string, string];
    const url = base.replace('localhost', '127.0.0.1');
    await (await fetch(`${url}/api/health`)).arrayBuffer();
    return new CoordinatorProcess(child, output, { url, adminToken, startedInMs: performance.now() - beganMs });
  }

  /** Everything it has written, standard output and error. */
  get output(): string {
    return this.#output.join('\n');
  }

  /** `kill -9`. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal, and returns how the process ended: its exit code, or null by the signal itself. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const ended = once(this.#child, 'close') as Promise<[number | null]>;
    this.send(signal);
    return (await ended)[0];
  }
}

/** Starts one, and kills it after so many milliseconds, whatever it was at. */
export async function startAndKill(stateDir: string, afterMs: number): Promise<void> {
  const { child } = launch(stateDir, [], []);
  const ended = once(child, 'exit');
  setTimeout(() => child.kill('SIGKILL'), afterMs);
  await ended;
}

function launch(
  stateDir: string,
  args: readonly string[],
  nodeArgs: readonly string[],
): { child: ChildProcess; output: string[] } {
  const options = ['--port', '0', '--state', stateDir, '--no-build', '--no-records', '--log-level', 'warn'];
  const child = spawn(process.execPath, ['--import', 'tsx', ...nodeArgs, 'server/main.ts', ...options, ...args], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  createInterface(child.stderr).on('line', (line) => output.push(line));
  return { child, output };
}

/** How long a start of Node alone takes here and now, with the compiler that every start loads. */
export async function bareStartMs(): Promise<number> {
  const beganMs = performance.now();
  await once(spawn(process.execPath, ['--import', 'tsx', '-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - beganMs;
}
