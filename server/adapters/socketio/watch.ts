// Pages that watch a run: only so many are let in, and all that have the same points already are shown one snapshot, made and
// written as JSON once. No logic of the run's.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Namespace, Socket } from 'socket.io';
import * as z from 'zod/mini';
import { asRunId, type RunId } from '../../../shared/ids.ts';
import type { PageToServer, ServerToPage } from '../../../shared/protocol/events.ts';
import type { Door } from '../../door.ts';
import type { Guard } from '../../guard.ts';
import { countStrange, unsent, UNSENT_PACKETS_MAX } from './engine.ts';

const PAGE_EVENTS: readonly (keyof PageToServer)[] = ['watch'];
/** A page that comes, or comes back, asks for points that the others have; a turn brings so many such answers of a run. */
const ANSWERS_MAX = 4;
const TOO_MANY = 'as many pages watch as may, here or in all: close some, or try again later';

const watchSchema = z.strictObject({
  run: z.nullable(z.string().check(z.maxLength(64))),
  since: z.int().check(z.nonnegative()),
});

interface PageData {
  watching?: { readonly run: RunId; readonly since: number };
  /** The turn in which it was last shown something. */
  shown?: number;
}
type None = Record<string, never>;
export type Pages = Namespace<PageToServer, ServerToPage, None, PageData>;
type PageSocket = Socket<PageToServer, ServerToPage, None, PageData>;

export interface WatchOptions {
  readonly door: Door;
  readonly guard: Guard;
  /** Their pages are let in whoever else watches. */
  readonly operator: { signedIn(headers: IncomingHttpHeaders): boolean };
}

/** Gives back what shows every page what is new. */
export function watchPages(pages: Pages, options: WatchOptions): () => void {
  const { door, guard } = options;
  const counted = new WeakSet<object>();
  pages.use((socket, next) => {
    const { conn, request } = socket;
    if (!counted.has(conn)) {
      const gone = guard.watch(guard.address(request), isOperators(request, options));
      if (!gone) return next(new Error(TOO_MANY));
      counted.add(conn);
      conn.once('close', gone);
    }
    next();
  });
  pages.on('connection', (socket) => servePage(socket, options));
  let turn = 0;
  return () => {
    turn += 1;
    const answers = new Map<RunId, number>();
    for (const { run, since, sockets } of longestWaitingFirst(pages)) {
      const made = answers.get(run) ?? 0;
      if (made === ANSWERS_MAX) continue;
      answers.set(run, made + 1);
      const snapshot = door.snapshot(run, since);
      pages.to(sockets.map(({ id }) => id)).emit('snapshot', snapshot);
      for (const { data } of sockets)
        Object.assign(data, { watching: { run, since: snapshot.metrics.next }, shown: turn });
    }
  };
}

const isOperators = ({ headers }: IncomingMessage, { operator }: WatchOptions): boolean => operator.signedIn(headers);

function servePage(socket: PageSocket, { door, guard }: WatchOptions): void {
  countStrange(socket, PAGE_EVENTS, guard);
  socket.on('watch', (message: unknown) => {
    const request = watchSchema.safeParse(message);
    if (!request.success) return;
    const { run, since } = request.data;
    const known = run !== null && door.has(asRunId(run));
    if (known) socket.data.watching = { run: asRunId(run), since };
    else delete socket.data.watching;
  });
}

interface Group {
  readonly run: RunId;
  readonly since: number;
  readonly sockets: PageSocket[];
  /** When the one that has waited longest was last shown something. */
  shown: number;
}

/** Pages that are to be shown the same. Who does not read is skipped. */
function longestWaitingFirst(pages: Pages): Group[] {
  const groups = new Map<string, Group>();
  for (const socket of pages.sockets.values()) {
    const { watching, shown = 0 } = socket.data;
    if (!watching || unsent(socket) > UNSENT_PACKETS_MAX) continue;
    const { run, since } = watching;
    const key = `${run} ${since}`;
    const group = groups.get(key) ?? { run, since, sockets: [], shown };
    groups.set(key, group);
    group.sockets.push(socket);
    group.shown = Math.min(group.shown, shown);
  }
  return [...groups.values()].sort((a, b) => a.shown - b.shown);
}
