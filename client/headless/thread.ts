// One volunteer in a thread of its own: the same shell as a tab's, on wasm or plain JavaScript. Started by volunteers.ts.

import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { rng } from '../../shared/rng.ts';
import type { Backend } from '../../shared/protocol/messages.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';
import { DeviceCompute } from '../worker/compute.ts';
import { SocketControl } from '../worker/control.ts';
import { keyOf, pairOf } from '../worker/device-key.ts';
import { Shell } from '../worker/shell.ts';
import { HttpTransport } from '../worker/transport.ts';
import { fetchTrusting, trusting } from './authority.ts';
import { Slowed } from './slowed.ts';
import { socketOpener } from './socket.ts';
import { wasmFolder } from './wasm.ts';

export interface ThreadData {
  readonly url: string;
  readonly run: string;
  readonly name: string;
  readonly backend: Backend;
  readonly slowdown: number;
  /** The private key of its device. */
  readonly key: JsonWebKey;
  readonly joinCode: string | null;
  /** Certificate of an authority to trust besides those that the machine knows. */
  readonly ca: string | null;
}

export type ToThread = 'stop';
export type FromThread = VolunteerView;

if (parentPort === null) throw new Error('this program runs in a thread: start client/headless/main.ts');
const port = parentPort;
const { url, run, name, backend, slowdown, key, joinCode, ca } = workerData as ThreadData;
globalThis.fetch = fetchTrusting(ca);

const shell = new Shell({
  ...{ run, name, backend },
  compute: new Slowed(new DeviceCompute({ wasmPaths: wasmFolder(), host: process }), slowdown),
  transport: new HttpTransport({ url, crc32, openSocket: socketOpener(ca) }),
  control: (listener) => new SocketControl(url, listener, trusting(ca)),
  pass: { key: pairOf(key).then(keyOf), joinCode },
  random: rng(randomUUID()),
  onView,
});

function onView(view: VolunteerView): void {
  port.postMessage(view satisfies FromThread);
  const over = view.phase === 'finished' || view.phase === 'stopped' || view.phase === 'failed';
  // Nothing is begun any more: when what is under way has ended, so does the thread.
  if (over) void shell.settled().then(() => port.close());
}

port.on('message', (message: ToThread) => {
  if (message === 'stop') shell.user('stop');
});
shell.start();
