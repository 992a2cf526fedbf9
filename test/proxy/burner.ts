// A process that keeps one core busy and bothers nobody: what is measured beside an attacker on the same machine is compared
// with what is beside this, so that the attacker's own appetite is not taken for the coordinator's.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Returns what `measure` does while a core is busy. */
export async function besideBurner<T>(measure: () => Promise<T>): Promise<T> {
  const burner = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  try {
    return await measure();
  } finally {
    burner.kill('SIGKILL');
    if (burner.exitCode === null && burner.signalCode === null) await once(burner, 'exit');
  }
}
