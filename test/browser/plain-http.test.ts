// The volunteer's page at an address of the network: over plain http, where browsers withhold WebGPU, and over https.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Started } from '../../server/host/start.ts';
import { makeAuthority, makeCertificate } from '../../tools/certificates.ts';
import { digitsRun, start } from '../server/harness.ts';
import { plainBrowser, type PlainBrowser, type Tab } from './cdp.ts';
import { PATIENCE_MS } from './patience.ts';
import { join, until } from './tabs.ts';

/** A name that leads here, and that no browser takes for this machine. */
const NAME = 'lab-server';

let plain: Started;
let secure: Started;
let browser: PlainBrowser;
beforeAll(async () => {
  const certificate = await makeCertificate(await makeAuthority('The tests', Date.now()), [NAME], Date.now());
  plain = await start([digitsRun('epochs: 10000')]);
  secure = await start([digitsRun('epochs: 10000')], { certificate });
  // What trusting the authority does on a device.
  browser = await plainBrowser(`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, '--ignore-certificate-errors');
}, PATIENCE_MS);
afterAll(async () => {
  await browser?.close();
  await Promise.all([plain?.close(), secure?.close()]);
});

const addressOf = ({ url }: Started): string => url.replace('127.0.0.1', NAME);
const textOf = (tab: Tab): Promise<string> => tab.evaluate('document.querySelector("main")?.innerText ?? ""');
const canLendGpu = (tab: Tab): Promise<[boolean, boolean]> => tab.evaluate('[isSecureContext, "gpu" in navigator]');

describe('[P27] [B6] the volunteer’s page at an address of the network', () => {
  it(
    'over plain http says what is wrong and three ways to a GPU, and trains with wasm',
    { timeout: 2 * PATIENCE_MS },
    async () => {
      const tab = await browser.open(`${addressOf(plain)}/`);
      await until(() => textOf(tab)).toMatch(/No WebGPU here: this address is plain http/);
      expect(await canLendGpu(tab)).toEqual([false, false]);
      const { port } = new URL(plain.url);
      const steps = await tab.evaluate<string[]>(
        '[...document.querySelectorAll(".notice li")].map((one) => one.innerText)',
      );
      expect(steps).toHaveLength(3);
      expect(steps[0]).toMatch(/npm run dev-cert/);
      expect(steps[0]).toContain(`https://${NAME}:${port}/`);
      expect(steps[1]).toContain(`ssh -N -L 3000:localhost:${port} you@${NAME}`);
      expect(steps[2]).toContain('chrome://flags/#unsafely-treat-insecure-origin-as-secure');
      expect(steps[2]).toContain(`http://${NAME}:${port}`);

      const { row } = await join(Promise.resolve(tab), plain);
      await until(() => row().pushes).toBeGreaterThan(3);
      expect(row()).toMatchObject({ backend: 'wasm', refused: {}, standing: { keyed: false } });
      expect(row().tried[0]).toEqual({ backend: 'webgpu', reason: 'needs a secure page: https, or localhost' });
    },
  );

  it('over https finds WebGPU, and shows no notice', { timeout: 2 * PATIENCE_MS }, async () => {
    const tab = await browser.open(`${addressOf(secure)}/?backend=wasm`);
    await until(() => textOf(tab)).toMatch(/Your GPU, through WebGPU/);
    expect(await canLendGpu(tab)).toEqual([true, true]);
    expect(await textOf(tab)).not.toMatch(/plain http/);
    const { row } = await join(Promise.resolve(tab), secure);
    await until(() => row().pushes).toBeGreaterThan(3);
    expect(row().standing.keyed).toBe(true);
  });
});
