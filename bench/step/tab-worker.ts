// The step bench in a tab's Web Worker: as the volunteer's page computes.

import { DeviceCompute } from '../../client/worker/compute.ts';
import { SocketControl } from '../../client/worker/control.ts';
import { Shell } from '../../client/worker/shell.ts';
import type { StreamSocket } from '../../client/worker/stream.ts';
import { HttpTransport } from '../../client/worker/transport.ts';
import { WASM_URLS } from '../../client/worker/wasm-urls.ts';
import type { Backend } from '../../shared/protocol/messages.ts';
import { rng } from '../../shared/rng.ts';
import { measureStep, Metered, Phases } from './measure.ts';

const url = self.location.origin;
// The page hands its own query on: which run, and which backend.
const query = new URLSearchParams(self.name);
const metered = new Metered(new DeviceCompute({ wasmPaths: WASM_URLS }));
const phases = new Phases();
const shell = new Shell({
  ...{ run: query.get('run')!, name: 'bench', backend: query.get('backend') as Backend },
  compute: metered,
  transport: new HttpTransport({ url, openSocket: (address) => new WebSocket(address) as StreamSocket }),
  control: (listener) => new SocketControl(url, listener),
  random: rng('bench'),
  onView: phases.onView,
});
self.postMessage(await measureStep(metered, shell, phases.wait));
