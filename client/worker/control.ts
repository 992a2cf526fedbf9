// The control plane over socket.io. It does not reconnect by itself: when to try again is the volunteer machine's.

import { io, type Socket } from 'socket.io-client';
import type { ServerToWorker, WorkerToServer } from '../../shared/protocol/events.ts';
import type { Hello, Welcome, WorkerStatus } from '../../shared/protocol/messages.ts';
import type { Control, ControlListener } from './ports.ts';

const CONNECT_MS_MAX = 10_000;
const HELLO_MS_MAX = 15_000;

/** How a WebSocket is closed whose message is above the other end's limit. */
const TOO_LARGE = 1009;

export class SocketControl implements Control {
  readonly #socket: Socket<ServerToWorker, WorkerToServer>;

  /** Nothing is sent before `connect`. `node` is for Node alone. */
  constructor(
    url: string,
    listener: ControlListener,
    node: { readonly ca?: string[]; readonly localAddress?: string } = {},
  ) {
    const options = { transports: ['websocket'], reconnection: false, autoConnect: false, timeout: CONNECT_MS_MAX };
    // A connection of its own: several volunteers may live in one process.
    this.#socket = io(url, { ...options, ...node, forceNew: true });
    this.#socket.on('connect', () => listener.connected());
    this.#socket.on('connect_error', () => listener.disconnected(false));
    this.#socket.on('disconnect', (_reason, details) => listener.disconnected(closeCode(details) === TOO_LARGE));
    this.#socket.on('control', ({ kind }) => listener.control(kind));
    this.#socket.on('progress', (run) => listener.progress(run));
  }

  connect(): void {
    this.#socket.connect();
  }

  async challenge(): Promise<string> {
    return (await this.#socket.timeout(HELLO_MS_MAX).emitWithAck('challenge')) as string;
  }

  async hello(hello: Hello): Promise<Welcome> {
    return (await this.#socket.timeout(HELLO_MS_MAX).emitWithAck('hello', hello)) as Welcome;
  }

  status(status: WorkerStatus): void {
    // A heartbeat that cannot be sent now is worth nothing later.
    this.#socket.volatile.emit('status', status);
  }

  release(leases: readonly string[]): boolean {
    if (!this.#socket.connected) return false;
    this.#socket.emit('release', { leases: [...leases] });
    return true;
  }

  disconnect(): void {
    this.#socket.disconnect();
  }
}

/** Of the close event, which socket.io's types do not tell apart from its other details. */
function closeCode(details: unknown): number | undefined {
  const { context } = (details ?? {}) as { context?: { code?: number } };
  return context?.code;
}
