// A coordinator in a process of its own for the capacity bench: over TLS when it is given a certificate, with a state folder,
// and with the limits that it has by default. Asked over its channel, it says what it uses.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import pino from 'pino';
import { readCertificate } from '../../server/host/network.ts';
import { parseRunFile } from '../../server/host/runfile.ts';
import { startCoordinator } from '../../server/host/start.ts';
import type { Answer, Question, Setup } from './process.ts';

const RESOLUTION_MS = 20;

const { run, stateDir, tls } = JSON.parse(process.argv[2]!) as Setup;
const { url } = await startCoordinator({
  ...{ runs: [parseRunFile(run, 'bench')], port: 0, host: '127.0.0.1', dataDir: 'data', stateDir, record: null },
  adminToken: 'a-token-of-the-bench',
  certificate: tls && (await readCertificate(tls)),
  log: pino({ level: 'warn' }),
});
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
let cpu = process.cpuUsage();

function answer(question: Question): Answer {
  if (question === 'begin') {
    delay.reset();
    cpu = process.cpuUsage();
  }
  globalThis.gc!();
  const { user, system } = process.cpuUsage(cpu);
  const delayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS);
  const { rss, heapUsed, external } = process.memoryUsage();
  const memory = { residentBytes: rss, liveBytes: heapUsed + external };
  return { url, delayP99Ms, cpuSeconds: (user + system) / 1e6, ...memory };
}

process.on('message', (question: Question) => process.send!(answer(question)));
process.on('disconnect', () => process.exit(0));
process.send!(answer('begin'));
