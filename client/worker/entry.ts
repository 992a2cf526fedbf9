// The program of the page's Web Worker: the bridge's messages on one side, the shell on the other.

import { rng } from '../../shared/rng.ts';
import type { PageToWorker, WorkerToPage } from './bridge.ts';
import { DeviceCompute } from './compute.ts';
import { browserKey } from './device-key.ts';
import { SocketControl } from './control.ts';
import { Shell } from './shell.ts';
import type { StreamSocket } from './stream.ts';
import { HttpTransport } from './transport.ts';
import { WASM_URLS } from './wasm-urls.ts';

type Start = Extract<PageToWorker, { type: 'start' }>;

const compute = new DeviceCompute({ wasmPaths: WASM_URLS });
let shell: Shell | null = null;
let hidden = false;

function start({ run, name, backend, joinCode }: Start): Shell {
  const url = self.location.origin;
  const post = (message: WorkerToPage): void => self.postMessage(message);
  const started = new Shell({
    ...{ run, name, backend, compute },
    transport: new HttpTransport({ url, openSocket: (address) => new WebSocket(address) as StreamSocket }),
    control: (listener) => new SocketControl(url, listener),
    pass: { key: browserKey(), joinCode },
    random: rng(crypto.getRandomValues(new Uint32Array(2)).join()),
    onView: (view) => post({ type: 'view', view }),
    onWelcome: ({ token }) => post({ type: 'welcomed', run, token }),
  });
  started.visibility(hidden);
  started.start();
  return started;
}

self.addEventListener('message', ({ data }: MessageEvent<PageToWorker>) => {
  switch (data.type) {
    case 'start':
      // After a stop, the same page may start afresh.
      shell?.user('stop');
      shell = start(data);
      return;
    case 'visibility':
      hidden = data.hidden;
      return shell?.visibility(hidden);
    case 'woke':
      return shell?.woke();
    case 'pause':
    case 'resume':
    case 'stop':
      return shell?.user(data.type);
    default:
      data satisfies never;
  }
});
