// The step bench in a Node thread: as `npm run volunteer` computes.

import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { openSocket } from '../../client/headless/socket.ts';
import { wasmFolder } from '../../client/headless/wasm.ts';
import { DeviceCompute } from '../../client/worker/compute.ts';
import { SocketControl } from '../../client/worker/control.ts';
import { Shell } from '../../client/worker/shell.ts';
import { HttpTransport } from '../../client/worker/transport.ts';
import { rng } from '../../shared/rng.ts';
import { measureStep, Metered, Phases } from './measure.ts';

const { url, run } = workerData as { url: string; run: string };
const metered = new Metered(new DeviceCompute({ wasmPaths: wasmFolder(), host: process }));
const phases = new Phases();
const shell = new Shell({
  ...{ run, name: 'bench', backend: 'wasm' },
  compute: metered,
  transport: new HttpTransport({ url, crc32, openSocket }),
  control: (listener) => new SocketControl(url, listener),
  random: rng('bench'),
  onView: phases.onView,
});
parentPort!.postMessage(await measureStep(metered, shell, phases.wait));
