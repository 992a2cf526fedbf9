// What volunteers cost that are connected and compute nothing: the coordinator's memory before and after they came.

import { setTimeout as pause } from 'node:timers/promises';
import type { Found } from './found.ts';
import type { IdleSetup } from './idle-clients.ts';
import { BenchCoordinator, child, type Answer } from './process.ts';

const MB = 1e6;
const MORE_MB = 50;
/** Code that has not run yet is no cost of the clients: so many came and went before. */
const WARM_UP_CLIENTS = 50;
/** Long enough for three heartbeats of each. */
const IDLE_MS = 30_000;
/** What the start has left is given back to the system little by little: settled when it gave back less than this in a while. */
const SETTLED_MB = 1;
const SETTLE_LOOK_MS = 10_000;
const SETTLE_LOOKS_MAX = 12;
const RUN = `id: idle
name: Idle
dataset: digits
model: { name: softmax }
method: { name: asgd, learningRate: 0.01 }
workersMax: 10000
`;

export async function measureIdle(
  { clients }: { readonly clients: number },
  scheme: 'http' | 'https',
): Promise<readonly Found[]> {
  const coordinator = await BenchCoordinator.start(RUN, scheme);
  const { url, ca } = coordinator;
  const come = (count: number, from: number) =>
    child<'here'>('idle-clients.ts', [JSON.stringify({ url, ca, run: 'idle', clients: count, from } satisfies IdleSetup)]); // prettier-ignore
  const [early] = await come(WARM_UP_CLIENTS, clients);
  early.kill();
  const before = await settled(coordinator);
  const [late] = await come(clients, 0);
  await pause(IDLE_MS);
  const after = await settled(coordinator);
  late.kill();
  await coordinator.close();
  const moreMb = (after.residentBytes - before.residentBytes) / MB;
  const liveMb = (after.liveBytes - before.liveBytes) / MB;
  return [
    {
      what: `Memory of ${clients} idle clients over ${scheme}, after collections`,
      found: `${moreMb.toFixed(1)} MB more resident than ${(before.residentBytes / MB).toFixed(0)} MB, ${liveMb.toFixed(1)} MB more in use`,
      promised: `< ${MORE_MB} MB`,
      met: clients < 1000 ? null : Math.max(moreMb, liveMb) < MORE_MB,
    },
  ];
}

async function settled(coordinator: BenchCoordinator): Promise<Answer> {
  let last = await coordinator.ask('figures');
  for (let look = 0; look < SETTLE_LOOKS_MAX; look++) {
    await pause(SETTLE_LOOK_MS);
    const now = await coordinator.ask('figures');
    if (last.residentBytes - now.residentBytes < SETTLED_MB * MB) return now;
    last = now;
  }
  return last;
}
