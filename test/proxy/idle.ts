// A volunteer that is here and computes nothing: the real machine, key and sockets, with a device that is never asked.

import { keyOf, makePair } from '../../client/worker/device-key.ts';
import { SocketControl } from '../../client/worker/control.ts';
import { Shell } from '../../client/worker/shell.ts';
import { rng } from '../../shared/rng.ts';
import type { Device, Welcome } from '../../shared/protocol/messages.ts';

const DEVICE: Device = { backend: 'other', adapter: 'none', fallback: false, tried: [] };
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export interface IdleOptions {
  readonly url: string;
  readonly run: string;
  readonly number: number;
  /** An authority to trust, of a coordinator over TLS. */
  readonly ca?: string;
  readonly onWelcome: (welcome: Extract<Welcome, { ok: true }>) => void;
}

/** Of an address of its own among those of this machine, 64 to each, as behind many networks. */
export async function idleVolunteer({ url, run, number, ca, onWelcome }: IdleOptions): Promise<Shell> {
  const key = await keyOf(await makePair(false));
  const localAddress = `127.0.1.${1 + (number >> 6)}`;
  const shell = new Shell({
    ...{ run, name: `idle-${number}`, random: rng(`idle ${number}`), onView: () => undefined, onWelcome },
    compute: { chooseDevice: () => Promise.resolve(DEVICE), compute: never },
    transport: {
      admit: () => undefined,
      pull: never,
      push: never,
      release: () => Promise.resolve(),
      shard: never,
      recycle: () => undefined,
      close: () => undefined,
    },
    control: (listener) => new SocketControl(url, listener, { localAddress, ...(ca !== undefined && { ca: [ca] }) }),
    pass: { key: Promise.resolve(key), joinCode: null },
  });
  shell.start();
  return shell;
}
