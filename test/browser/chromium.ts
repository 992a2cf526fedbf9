// Where Chromium is: named by CHROMIUM_PATH, or the system's, or Playwright's.

import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
const PLAYWRIGHT_BINARIES = [
  'chrome-linux/chrome',
  'chrome-linux64/chrome',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-win/chrome.exe',
];

export const HOW_TO_GET_CHROMIUM =
  'The browser tests need Chromium: install it (Debian: apt-get install chromium; anywhere: npx playwright install chromium) or set CHROMIUM_PATH.';

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The path of a Chromium that can be started; null when there is none. Throws when CHROMIUM_PATH is not one. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | null {
  const named = env['CHROMIUM_PATH'];
  if (named) {
    if (executable(named)) return named;
    throw new Error(`CHROMIUM_PATH is ${named}, which is not a program that can be started`);
  }
  const folders = (env['PATH'] ?? '').split(delimiter);
  const installed = folders.flatMap((folder) => COMMANDS.map((command) => join(folder, command)));
  return [...installed, ...APPLICATIONS, ...playwrights(env)].find(executable) ?? null;
}

function playwrights(env: NodeJS.ProcessEnv): string[] {
  const cache =
    env['PLAYWRIGHT_BROWSERS_PATH'] ??
    join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'ms-playwright');
  try {
    const versions = readdirSync(cache).filter((name) => name.startsWith('chromium-'));
    return versions
      .sort()
      .reverse()
      .flatMap((version) => PLAYWRIGHT_BINARIES.map((binary) => join(cache, version, binary)));
  } catch {
    return [];
  }
}
