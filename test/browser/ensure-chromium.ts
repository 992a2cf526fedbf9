// Before the tests: Chromium is there, or is installed where the system allows it, or one sentence says how to get it.

import { spawnSync } from 'node:child_process';
import { findChromium, HOW_TO_GET_CHROMIUM } from './chromium.ts';

if (findChromium() === null && !installed()) {
  process.stderr.write(`${HOW_TO_GET_CHROMIUM}\n`);
  process.exit(1);
}

/** On Debian and its kin, as root: from the system's own packages. */
function installed(): boolean {
  if (process.getuid?.() !== 0) return false;
  const apt = (...args: string[]): boolean =>
    spawnSync('apt-get', ['-qq', '-y', ...args], { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  process.stderr.write('Installing Chromium from the system’s packages…\n');
  return apt('update') && apt('install', '--no-install-recommends', 'chromium') && findChromium() !== null;
}
