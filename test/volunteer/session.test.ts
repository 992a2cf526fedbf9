// The volunteer's place with the coordinator, and the person's wishes.

import { describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION, REFUSALS, refusalText, type Refusal } from '../../shared/protocol/version.ts';
import { RECONNECT } from '../../shared/volunteer/limits.ts';
import { isTurnedAway } from '../../shared/volunteer/link.ts';
import { device, give, NETWORK, Rig, status, wait, welcome } from './rig.ts';

const refused = (refusal: Refusal) =>
  ({ type: 'welcome', welcome: { ok: false, protocol: PROTOCOL_VERSION, refusal, message: 'No.' } }) as const;

describe('joining', () => {
  it('[V1] chooses a device and connects at once, and says hello when it has both', () => {
    const rig = new Rig({ backend: 'wasm' }).tell({ type: 'start' });
    expect(rig.requests.toSorted()).toEqual(['choose-device', 'connect']);
    expect(rig.asked('choose-device')[0]).toMatchObject({ prefer: 'wasm', exclude: [] });
    expect(rig.view.phase).toBe('checking');
    expect(rig.tell({ type: 'connected' }).requests).toEqual([]);
    rig.tell({ type: 'device-ready', device: device() });
    expect(rig.view.phase).toBe('connecting');
    expect(rig.asked('hello')[0]!.hello).toEqual({
      ...{ protocol: PROTOCOL_VERSION, run: 'digits', name: 'node-1' },
      device: device(),
    });
  });

  it('[V1] cuts a name that the coordinator would refuse', () => {
    const rig = new Rig({ name: 'x'.repeat(99) }).joined();
    expect(rig.everAsked('hello')[0]!.hello.name).toHaveLength(40);
  });

  it.each(REFUSALS.filter((refusal) => !isTurnedAway(refusal)))('[V2] %s ends it, in words', (refusal) => {
    const rig = new Rig().joined();
    const fresh = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    fresh.tell({ type: 'connected' }).tell(refused(refusal));
    expect(fresh.requests).toEqual(['disconnect']);
    expect(fresh.view).toMatchObject({ phase: 'failed', message: refusalText(refusal) });
    rig.pullFails(status(401)).tell(refused(refusal));
    expect(rig.view.phase).toBe(refusal === 'run-ended' ? 'finished' : 'failed');
  });

  it.each(['too-many-workers', 'too-many-from-address'] as const)('[V2] asks a full run again later: %s', (refusal) => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    rig.tell({ type: 'connected' }).tell(refused(refusal));
    expect(rig.view).toMatchObject({ phase: 'waiting', message: refusalText(refusal) });
    expect(rig.toDeadline()).toBeGreaterThanOrEqual(10_000);
    expect(rig.requests).toEqual(['hello']);
    rig.tell({ type: 'welcome', welcome: welcome() });
    expect(rig.view).toMatchObject({ phase: 'waiting', message: null, worker: 'w1' });
  });

  it('[V2] leaves a coordinator that speaks another version', () => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    const other = welcome();
    rig.tell({ type: 'connected' }).tell({ type: 'welcome', welcome: { ...other, protocol: 999 } });
    expect(rig.view).toMatchObject({ phase: 'failed', message: refusalText('client-too-old') });
  });

  it('[V2] asks for words about a run that is gone', () => {
    const rig = new Rig().joined().pullFails(status(404));
    expect(rig.requests).toEqual(['hello']);
  });

  it('[V2] asks a busy coordinator again in a moment, with a jittered and growing wait', () => {
    const waits = ['a', 'b', 'c'].map((seed) => {
      const rig = new Rig({}, seed).tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
      rig.tell({ type: 'connected' }).tell(refused('busy'));
      expect(rig.view).toMatchObject({ phase: 'waiting', message: refusalText('busy') });
      const waitMs = rig.toDeadline();
      expect(rig.requests).toEqual(['hello']);
      return waitMs;
    });
    expect(Math.max(...waits)).toBeLessThanOrEqual(RECONNECT.baseMs);
    expect(new Set(waits).size).toBe(3);
  });

  it('[V3] connects again after a random wait, within 10 s, for as long as it takes', () => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    const waits: number[] = [];
    for (let i = 0; i < 100; i++) {
      rig.tell({ type: 'disconnected' });
      waits.push(rig.toDeadline());
      expect(rig.requests).toEqual(['connect']);
    }
    expect(waits[0]).toBeLessThanOrEqual(RECONNECT.baseMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(RECONNECT.capMs);
    expect(RECONNECT.capMs).toBe(10_000);
    expect(waits.reduce((a, b) => a + b) / waits.length).toBeGreaterThan(RECONNECT.capMs / 3);
    expect(Math.min(...waits)).toBeLessThan(RECONNECT.capMs / 10); // wholly random
  });

  it('[V26] woken, connects and says hello at once, and again within a second if that fails', () => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    for (let i = 0; i < 8; i++) rig.tell({ type: 'disconnected' }).toDeadline();
    rig.tell({ type: 'disconnected' }).tell({ type: 'woke' });
    expect(rig.requests).toEqual(['connect']);
    expect(rig.tell({ type: 'woke' }).requests).toEqual([]);
    expect(rig.tell({ type: 'disconnected' }).toDeadline()).toBeLessThanOrEqual(1000);
    rig.tell({ type: 'connected' }).tell({ type: 'request-failed', request: { kind: 'hello' }, failure: NETWORK });
    expect(rig.requests).toEqual([]);
    expect(rig.tell({ type: 'woke' }).requests).toEqual(['hello']);
  });

  it('[V26] woken, pulls and pushes what waits, and tells its state', () => {
    const waiting = new Rig().joined().pulled(wait(60_000));
    expect(waiting.requests).toEqual([]);
    waiting.tell({ type: 'woke' });
    expect(waiting.effects.map(({ type }) => type)).toEqual(expect.arrayContaining(['pull', 'status']));
    const pushing = new Rig().joined({ leasesPerWorker: 1 }).pulled(give('l1')).shard().computed('l1');
    pushing.tell({ type: 'request-failed', request: { kind: 'push', lease: 'l1' }, failure: NETWORK });
    expect(pushing.requests).toEqual([]);
    expect(pushing.tell({ type: 'woke' }).requests).toEqual(['push']);
  });

  it('[V3] a hello without an answer is said again', () => {
    const rig = new Rig().tell({ type: 'start' }).tell({ type: 'device-ready', device: device() });
    rig.tell({ type: 'connected' });
    rig.tell({ type: 'request-failed', request: { kind: 'hello' }, failure: NETWORK });
    expect(rig.requests).toEqual([]);
    rig.toDeadline();
    expect(rig.requests).toEqual(['hello']);
  });

  it('[V4] while disconnected, computes and pushes what it has, and asks for no more', () => {
    const rig = new Rig().computing().pulled(give('b')).shard().tell({ type: 'disconnected' });
    expect(rig.view.phase).toBe('reconnecting');
    rig.computed('a');
    expect(rig.requests).toEqual(['push', 'compute']);
    expect(rig.asked('push')[0]!.next).toBe(false);
    rig.pushed('a', wait(0, 'paused'));
    expect(rig.requests).toEqual([]);
    rig.after(600).tell({ type: 'connected' });
    expect(rig.asked('hello')[0]!.hello.token).toBe('token-1');
    rig.tell({ type: 'welcome', welcome: welcome() });
    expect(rig.requests).toEqual(['pull']);
    expect(rig.view.phase).toBe('training');
    expect(rig.everAsked('release')).toEqual([]);
  });
});

describe('a person', () => {
  it('[V15] pauses: the step is finished and pushed without asking for more, the rest goes back', () => {
    const rig = new Rig().computing().pulled(give('b')).tell({ type: 'user', command: 'pause' });
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    expect(rig.view.phase).toBe('paused');
    rig.computed('a');
    expect(rig.requests).toEqual(['push']);
    expect(rig.asked('push')[0]!.next).toBe(false);
    rig.pushed('a', wait(0, 'paused'));
    expect(rig.after(60_000).requests).toEqual([]);
    expect(rig.asked('status')).toEqual([{ type: 'status', status: { state: 'paused' } }]); // the heartbeat goes on
    rig.tell({ type: 'user', command: 'resume' });
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V15] pauses: a lease that was already asked for goes back as it comes', () => {
    const rig = new Rig().computing().tell({ type: 'user', command: 'pause' }).pulled(give('b'));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
  });

  it('[V15] the operator pauses in the same way, and the volunteer is told', () => {
    const rig = new Rig().computing().pulled(give('b')).tell({ type: 'control', command: 'pause' });
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    rig.computed('a').pushed('a', wait(0, 'paused'));
    expect(rig.after(60_000).requests).toEqual([]);
    expect(rig.view).toMatchObject({ phase: 'waiting', message: 'The operator has paused this run.' });
    expect(rig.tell({ type: 'control', command: 'resume' }).requests).toEqual(['pull']);
  });

  it('[V15] pauses and resumes: the answer to a push that asked for no more delays nothing', () => {
    const rig = new Rig().computing({ leasesPerWorker: 1 }).tell({ type: 'user', command: 'pause' }).computed('a');
    rig.tell({ type: 'user', command: 'resume' }).pushed('a', wait(0, 'paused'));
    expect(rig.requests).toEqual(['pull']);
    expect(rig.view).toMatchObject({ phase: 'waiting', message: null });
  });

  it('[V15] a pause by the operator that ended unheard ends with the next welcome', () => {
    const rig = new Rig().joined().pulled(wait(100)).tell({ type: 'control', command: 'pause' });
    rig.tell({ type: 'disconnected' }).after(600).tell({ type: 'connected' });
    rig.tell({ type: 'welcome', welcome: welcome() });
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V15] one resuming does not undo the other pausing', () => {
    const rig = new Rig().joined().pulled(wait(100));
    rig.tell({ type: 'user', command: 'pause' }).tell({ type: 'control', command: 'pause' });
    rig.tell({ type: 'user', command: 'resume' });
    expect(rig.after(1_000).requests).toEqual([]);
    rig.tell({ type: 'control', command: 'resume' });
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V16] stops: leases go back, and a lease that comes too late does too', () => {
    const rig = new Rig().overlapping().tell({ type: 'user', command: 'stop' });
    expect(rig.requests).toEqual(['release', 'disconnect']);
    expect(rig.asked('release')[0]!.leases).toEqual(['b']); // a's push is on its way
    expect(rig.view.phase).toBe('stopped');
    rig.pushed('a', give('c'));
    expect(rig.effects).toEqual([{ type: 'release', leases: ['c'] }]);
    expect(rig.tell({ type: 'connected' }).effects).toEqual([]);
    expect(rig.tell({ type: 'user', command: 'resume' }).effects).toEqual([]);
  });

  it('[V17] hides the tab: work goes on with one lease, the idle one goes back', () => {
    const rig = new Rig().computing().pulled(give('b')).shard();
    rig.tell({ type: 'visibility', hidden: true });
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['b'] }]);
    rig.computed('a');
    expect(rig.requests).toEqual(['push']);
    expect(rig.asked('push')[0]!.next).toBe(true);
    rig.pushed('a', give('c')).shard();
    expect(rig.requests).toEqual(['compute']);
    rig.tell({ type: 'visibility', hidden: false });
    expect(rig.requests).toEqual(['pull']);
  });

  it('[V17] hides the tab between push and compute: the first answer brings no lease more', () => {
    const rig = new Rig().overlapping().tell({ type: 'visibility', hidden: true });
    expect(rig.everAsked('release')).toEqual([]);
    rig.computed('b');
    expect(rig.asked('push')).toMatchObject([{ lease: { id: 'b' }, next: false }]);
    rig.pushed('a', give('c'));
    expect(rig.asked('release')).toEqual([{ type: 'release', leases: ['c'] }]);
  });
});
