// The dashboard's live connection: one socket on /watch, and which run it watches. Decides nothing about what is shown.

import { io, type Socket } from 'socket.io-client';
import { WATCH_NAMESPACE, type PageToServer, type ServerToPage } from '../../shared/protocol/events.ts';
import type { DashboardSnapshot } from '../../shared/protocol/snapshots.ts';

/** A page that was not let in asks again so much later. */
const REFUSED_MS = 10_000;

export interface WatchHandlers {
  connected(): void;
  lost(): void;
  snapshot(snapshot: DashboardSnapshot): void;
}

export interface Watch {
  /** Replaces what is watched. `since`: the cursor of the last metrics held. */
  follow(run: string | null, since: number): void;
}

/** Reconnects by itself, for ever; `connected` is called each time and must follow again. */
export function openWatch(handlers: WatchHandlers): Watch {
  const socket: Socket<ServerToPage, PageToServer> = io(WATCH_NAMESPACE, {
    transports: ['websocket'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    timeout: 8000,
  });
  socket.on('connect', () => handlers.connected());
  socket.on('disconnect', (reason) => {
    handlers.lost();
    // The one case that socket.io leaves alone: the coordinator closed us, perhaps since it restarts.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('connect_error', () => {
    handlers.lost();
    // Too many watch: socket.io leaves that alone too.
    if (!socket.active) setTimeout(() => socket.connect(), REFUSED_MS);
  });
  socket.on('snapshot', (snapshot) => handlers.snapshot(snapshot));
  return {
    // Said while offline it would only be sent late and twice: `connected` says it anew.
    follow: (run, since) => void (socket.connected && socket.emit('watch', { run, since })),
  };
}
