// Secrets that are guessed at, all at once: hundreds of requests in one write on one connection, each of which the
// coordinator has read before it has answered the first.

import { once } from 'node:events';
import { connect } from 'node:net';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attempts } from '../../server/attempts.ts';
import type { Started } from '../../server/host/start.ts';
import { ADMIN_TOKEN, digitsRun, start } from './harness.ts';
import { connect as connectSocket, helloOf } from './visitor.ts';

const CODE = 'open sesame';
const [HERE, THERE, ELSEWHERE] = ['203.0.113.7', '203.0.113.8', '203.0.113.9'];

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

let coordinator: Started;
const told: string[] = [];
const log = pino({ level: 'info' }, { write: (line) => void told.push((JSON.parse(line) as { msg: string }).msg) });
beforeAll(async () => {
  const coded = digitsRun(`id: coded\nadmission: { kind: code, code: ${CODE} }`);
  coordinator = await start([digitsRun(), coded], { trustProxy: true, log });
});
afterAll(() => coordinator.close());

/** All of them in one write; their answers in order. */
function pipelined(address: string, requests: readonly Sent[]): Promise<Answer[]> {
  const { hostname, port } = new URL(coordinator.url);
  const text = requests.map(({ method, path, headers = {}, body = '' }, i) => {
    const length = body === '' ? {} : { 'content-length': body.length };
    const last = i === requests.length - 1 ? { connection: 'close' } : {};
    const said = { host: `${hostname}:${port}`, 'x-forwarded-for': address, ...length, ...headers, ...last };
    const lines = Object.entries(said).map(([name, value]) => `${name}: ${value}`);
    return `${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`;
  });
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname).on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(answersIn(Buffer.concat(chunks).toString('utf8'))));
    socket.write(text.join(''));
  });
}

const answersIn = (text: string): Answer[] =>
  text
    .split(/(?=HTTP\/1\.1 \d{3})/)
    .filter((one) => one !== '')
    .map((one) => {
      const [headers = '', body = ''] = one.split('\r\n\r\n');
      return { status: Number(headers.slice(9, 12)), headers, body };
    });
const guess = (token: string): Sent => ({
  method: 'GET',
  path: '/api/admin',
  headers: { authorization: `Bearer ${token}` },
});
const hello = (joinCode: string): Sent => {
  const body = JSON.stringify(helloOf({ run: 'coded', joinCode }));
  return { method: 'POST', path: '/data/runs/coded/workers', body };
};
/** So many wrong ones, and the right one among them. */
const guesses = (count: number, rightAt: number, right: string): string[] =>
  Array.from({ length: count }, (_, i) => (i === rightAt ? right : `g${i}`));

describe('guesses that come all at once', () => {
  it('[I6] [P25] at the token: five are compared, the right one is not among them, and it is written down', async () => {
    const answers = await pipelined(HERE, guesses(700, 300, ADMIN_TOKEN).map(guess));
    expect(answers).toHaveLength(700);
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array<number>(5).fill(401),
      ...Array<number>(695).fill(429),
    ]);
    const [, seconds] = /retry-after: (\d+)/i.exec(answers[300]!.headers)!;
    expect(Number(seconds)).toBeGreaterThan(880);
    expect(answers[300]!.body).toMatch(/too many wrong tokens: try again in \d+ s/);
    const notes = told.filter((text) => text.endsWith(`from ${HERE}`));
    const wrong = Array<string>(4).fill(`a wrong operator’s token, from ${HERE}`);
    expect(notes).toEqual([...wrong, `too many wrong operator’s tokens: locked out, from ${HERE}`]);
  });

  it('[I6] [P25] at the token, from one address: another still signs in', async () => {
    await pipelined(ELSEWHERE, guesses(700, -1, '').map(guess));
    const [answer] = await pipelined(THERE, [guess(ADMIN_TOKEN)]);
    expect(answer!.status).toBe(200);
  });

  it('[I6] that are right are no guesses, however many', async () => {
    const answers = await pipelined(
      THERE,
      Array.from({ length: 300 }, () => guess(ADMIN_TOKEN)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('[I4] [P25] at a join code: twenty are compared, the right one is not among them, and others come in', async () => {
    const answers = await pipelined(HERE, guesses(300, 200, CODE).map(hello));
    const refusals = answers.map(({ body }) => /"refusal":"([\w-]+)"/.exec(body)?.[1] ?? 'welcome');
    expect(refusals).toEqual([...Array<string>(20).fill('join-code'), ...Array<string>(280).fill('busy')]);
    const [other] = await pipelined(THERE, [hello(CODE)]);
    expect(other!.body).toContain('"ok":true');
  });

  it('[I4] [P25] at a join code, over one control connection: the same', async () => {
    const socket = connectSocket(coordinator.url, { 'x-forwarded-for': ELSEWHERE });
    const codes = guesses(150, 100, CODE);
    await once(socket as unknown as NodeJS.EventEmitter, 'connect');
    const hellos = codes.map((joinCode) => socket.emitWithAck('hello', helloOf({ run: 'coded', joinCode })));
    const refusals = (await Promise.all(hellos)).map((welcome) => (welcome.ok ? 'welcome' : welcome.refusal));
    expect(refusals).toEqual([...Array<string>(20).fill('join-code'), ...Array<string>(130).fill('busy')]);
    socket.disconnect();
  });
});

describe('guesses', () => {
  const options = { perAddress: 3, altogether: 7, windowSeconds: 60 };
  let nowMs: number;
  const made = (): Attempts => {
    nowMs = 0;
    return new Attempts({ ...options, nowMs: () => nowMs });
  };

  it('[I6] lock an address out for a window, and are forgiven to who knows it after all', () => {
    const attempts = made();
    expect([attempts.guess('a'), attempts.guess('a'), attempts.guess('a')]).toEqual([0, 0, 0]);
    attempts.forgive('a');
    nowMs = 1000;
    expect([attempts.guess('a'), attempts.guess('a'), attempts.guess('a')]).toEqual([0, 0, 0]);
    expect([attempts.waitSeconds('a'), attempts.waitSeconds('b')]).toEqual([60, 0]);
    nowMs = 60_999;
    expect(attempts.guess('a')).toBe(1);
    nowMs = 61_000;
    expect([attempts.waitSeconds('a'), attempts.guess('a'), attempts.waitSeconds('a')]).toEqual([0, 0, 0]);
  });

  it('[I6] are forgotten when their window is over', () => {
    const attempts = made();
    attempts.guess('a');
    nowMs = 59_000;
    attempts.guess('a');
    nowMs = 60_000;
    for (let i = 0; i < 2; i++) attempts.guess('a');
    expect(attempts.waitSeconds('a')).toBe(0);
    attempts.guess('a');
    expect(attempts.waitSeconds('a')).toBe(60);
  });

  it('[I4] that were right count no more, and those before them go on counting', () => {
    const attempts = made();
    for (let i = 0; i < 2; i++) attempts.guess('a');
    for (let i = 0; i < 10; i++) {
      expect(attempts.guess('a')).toBe(0);
      attempts.takeBack('a');
    }
    expect(attempts.waitSeconds('a')).toBe(0);
    attempts.guess('a');
    expect(attempts.waitSeconds('a')).toBe(60);
  });

  it('[I6] from everywhere together stop everybody, each address by as many as it has', () => {
    const attempts = made();
    for (let i = 0; i < 100; i++) attempts.guess('a');
    expect(attempts.waitSeconds('b')).toBe(0);
    for (let i = 0; i < 100; i++) attempts.guess('b');
    expect(attempts.waitSeconds('c')).toBe(0);
    attempts.guess('c');
    expect([attempts.waitSeconds('c'), attempts.guess('d')]).toEqual([60, 60]);
    attempts.takeBack('c');
    expect([attempts.waitSeconds('c'), attempts.guess('c')]).toEqual([0, 0]);
    nowMs = 60_000;
    for (let i = 0; i < 6; i++) expect(attempts.guess(`address ${i}`)).toBe(0);
    expect(attempts.waitSeconds('another')).toBe(0);
  });
});
