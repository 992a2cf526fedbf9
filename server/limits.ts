// How much one remote may ask of the coordinator, and all of them together. Every limit has its reason; a classroom of forty
// machines with a few tabs each behind one address stays under all of them.

export interface Rate {
  readonly points: number;
  readonly seconds: number;
}

/** What is counted, each by whom it names. */
export const RATES = {
  /**
   * Pulls, pushes and returned leases of one worker. The fastest step of the smallest model takes some 4 ms, which is 250
   * exchanges a second; a thousand are a flood.
   */
  worker: { points: 400, seconds: 1 },
  /** The same by address: forty machines of two tabs, fifty exchanges a second each. More than one process serves. */
  address: { points: 4000, seconds: 1 },
  /** Hellos and challenges by address: every tab of a classroom reloaded at once says two of each. */
  hello: { points: 800, seconds: 10 },
  /** Pages, their assets and calls of the API, by address: a classroom that opens the page asks for fifteen things a tab. */
  page: { points: 3000, seconds: 10 },
  /**
   * Rows of curves and tables in answers of the API, by address: a classroom of forty machines with three tabs opens the
   * curves of a long run, of 3,600 points, at once; then each asks for what is new.
   */
  read: { points: 500_000, seconds: 10 },
  /** Connections that become WebSockets, by address: two a tab, and again when they reconnect. */
  upgrade: { points: 800, seconds: 10 },
  /** Packets of one control connection: a heartbeat and a pong every ten seconds, a state at most once a second. */
  packet: { points: 200, seconds: 10 },
} as const satisfies Record<string, Rate>;
export type RateName = keyof typeof RATES;

export interface Limits {
  readonly rates: Readonly<Record<RateName, Rate>>;
  /** Open connections of one address. A tab has two, and up to six more while it loads. */
  readonly connectionsPerAddress: number;
  /** Open connections in all: below the file descriptors that a process usually gets. */
  readonly connections: number;
  /** Pages that watch, of one address and in all: each is sent some 100 kB four times a second. */
  readonly watchersPerAddress: number;
  readonly watchers: number;
  /** Bodies of pushes under way, in all: what the process may lose to senders that never finish. */
  readonly bodiesBytes: number;
  /** The same of one address, or one body: no address alone keeps the others' out. */
  readonly bodiesBytesPerAddress: number;
}

export const LIMITS: Limits = {
  rates: RATES,
  connectionsPerAddress: 1024,
  connections: 10_000,
  watchersPerAddress: 64,
  watchers: 256,
  bodiesBytes: 512 * 2 ** 20,
  bodiesBytesPerAddress: 64 * 2 ** 20, // every tab of a classroom sends half a megabyte, or every tenth one five
};

/** How long a remote may take over what it has begun, and how one that is not there any more is found out. */
export interface Timing {
  /** How often the coordinator asks for a sign of life. */
  readonly pingEveryMs: number;
  /** Of silence, after which a connection is cut off: with one ping, under the 45 s that a dead peer may cost. */
  readonly silentMs: number;
  /** A body is given this, and the time that its bytes take at the slowest rate. */
  readonly bodyGraceMs: number;
  readonly bodyBytesPerSecondMin: number;
  /** A stream that has not said whose it is by then is nobody's. */
  readonly tokenMs: number;
  /** The headers of a request; a sender of one byte a second is not waited for. */
  readonly headersMs: number;
  /** An event loop that is later than this, some seconds in a row, has too much to do. */
  readonly busyMs: number;
}

export const TIMING: Timing = {
  pingEveryMs: 10_000,
  silentMs: 34_000,
  bodyGraceMs: 15_000,
  bodyBytesPerSecondMin: 16_384, // an eighth of a megabit a second
  tokenMs: 10_000,
  headersMs: 20_000,
  busyMs: 400,
};

/** For measurements and simulations on one machine, where every worker has one address. */
export const NO_LIMITS: Limits = {
  rates: Object.fromEntries(
    Object.keys(RATES).map((name) => [name, { points: Number.MAX_SAFE_INTEGER, seconds: 1 }]),
  ) as unknown as Limits['rates'],
  connectionsPerAddress: Infinity,
  connections: Infinity,
  watchersPerAddress: Infinity,
  watchers: Infinity,
  bodiesBytes: Infinity,
  bodiesBytesPerAddress: Infinity,
};
