// A bad network between real sockets: a TCP proxy that delays, narrows, stalls, resets, parts and goes silent, as its test
// says, from a seed. TCP hides loss: a lost packet is a stall, as it is here.

import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { rng, type Rng } from '../../shared/rng.ts';
import { Pipe } from './pipe.ts';

/** Of both directions unless they are named. Rates in bytes a second, chances of each piece of some 16 kB. */
export interface Weather {
  readonly latencyMs: number;
  /** Added to the latency, uniform from 0. Never reorders: TCP does not. */
  readonly jitterMs: number;
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** A lost packet: everything behind it waits for so long. */
  readonly stallChance: number;
  readonly stallMs: number;
  readonly resetChance: number;
}

export const FINE: Weather = {
  latencyMs: 0,
  jitterMs: 0,
  upBytesPerSecond: Infinity,
  downBytesPerSecond: Infinity,
  stallChance: 0,
  stallMs: 0,
  resetChance: 0,
};

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly up: Pipe;
  readonly down: Pipe;
}

export class FaultProxy {
  weather: Weather = FINE;
  /** Connections that were made so far. */
  made = 0;
  readonly #port: number;
  readonly #random: Rng;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #held = { up: false, down: false };
  /** Neither end learns that the other has gone. */
  #silent = false;

  private constructor(port: number, seed: string) {
    this.#port = port;
    this.#random = rng(seed);
    this.#listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#connect(client));
  }

  /** In front of a server on this machine. */
  static async before(url: string, seed: string, weather: Partial<Weather> = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(Number(new URL(url).port), seed);
    proxy.weather = { ...FINE, ...weather };
    await new Promise<void>((resolve) => proxy.#listener.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** Bytes go no further in these directions, of connections that there are and of new ones, until `release`. */
  hold(held: { readonly up?: boolean; readonly down?: boolean } = { up: true, down: true }): void {
    this.#held = { up: held.up ?? false, down: held.down ?? false };
    this.#apply();
  }

  release(): void {
    this.#held = { up: false, down: false };
    this.#silent = false;
    this.#apply();
  }

  /** From now on nothing arrives, and nobody is told that anybody left: a cable that was pulled. */
  goSilent(): void {
    this.#silent = true;
    this.hold();
  }

  /** Every connection breaks with a reset. */
  reset(): void {
    for (const pair of this.#pairs) this.#break(pair);
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #connect(client: Socket): void {
    this.made += 1;
    const server = new Socket({ allowHalfOpen: true });
    const random = this.#random.fork(`connection ${this.made}`);
    const piped = (to: Socket, rate: (weather: Weather) => number): Pipe =>
      new Pipe(to, { random, weather: () => ({ ...this.weather, bytesPerSecond: rate(this.weather) }), onReset: () => this.#break(pair) }); // prettier-ignore
    const pair: Pair = {
      client,
      server,
      up: piped(server, ({ upBytesPerSecond }) => upBytesPerSecond),
      down: piped(client, ({ downBytesPerSecond }) => downBytesPerSecond),
    };
    this.#pairs.add(pair);
    for (const [from, to, pipe] of [
      [client, server, pair.up],
      [server, client, pair.down],
    ] as const) {
      pipe.from(from);
      from.on('error', () => undefined);
      from.on('close', () => this.#gone(pair, to));
    }
    server.connect(this.#port, '127.0.0.1');
    this.#apply();
  }

  /** One end has gone: the other is told, unless the line is dead. */
  #gone(pair: Pair, other: Socket): void {
    if (!this.#silent) other.destroy();
    if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair);
  }

  #break({ client, server }: Pair): void {
    client.resetAndDestroy();
    server.resetAndDestroy();
  }

  #apply(): void {
    for (const { up, down, client, server } of this.#pairs) {
      up.hold(this.#held.up);
      down.hold(this.#held.down);
      if (this.#silent) continue;
      if (client.destroyed) server.destroy();
      if (server.destroyed) client.destroy();
    }
  }
}
