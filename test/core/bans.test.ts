// Bans: whose they are, which of them strangers can push out, and what is written down of them.

import { describe, expect, it } from 'vitest';
import { BANS_MAX, Bans } from '../../server/core/defence/bans.ts';
import asgd from '../../server/methods/asgd.ts';
import { asWorkerId } from '../../shared/ids.ts';
import { Driver, RUN, tinyRun } from './driver.ts';
import { put } from './tree.ts';

const KEYED = `w${'a'.repeat(20)}`;

describe('bans', () => {
  it('[I5] [G8] of the operator are not pushed out by any number of the defences', () => {
    const bans = new Bans();
    bans.add('guest', 'spoils it', 'operator');
    bans.add(`${KEYED}-2`, 'spoils it too', 'operator');
    for (let i = 0; i <= 2 * BANS_MAX; i++) bans.add(`g${i}`, 'found out', 'defences');
    expect([bans.reason('guest'), bans.reason(KEYED)]).toEqual(['spoils it', 'spoils it too']);
    expect(bans.size).toBe(BANS_MAX + 2);
  });

  it('[I5] [G8] that the operator makes his own hold, and are lifted whoever made them', () => {
    const bans = new Bans();
    bans.add('a', 'found out', 'defences');
    bans.add('a', 'seen to it myself', 'operator');
    bans.add('a', 'found out again', 'defences');
    expect([bans.reason('a'), bans.size]).toEqual(['seen to it myself', 1]);
    expect([bans.lift('a'), bans.reason('a'), bans.lift('a')]).toEqual([true, null, false]);
  });

  it('[I5] [G9] are the operator’s in a snapshot where he made them', () => {
    const driver = new Driver(tinyRun(asgd));
    driver.join('a');
    driver.send({ type: 'ban', run: RUN, worker: asWorkerId('a'), reason: 'spoils it' });
    const { defences } = driver.snapshot().facts as { defences: object };
    expect(defences).toMatchObject({ bans: [], operatorBans: [['a', 'spoils it']] });
    const later = Driver.resumed(driver.coordinator.setup(RUN), driver.snapshot());
    expect(later.coordinator.refusal(RUN, asWorkerId('a'))).toBe('banned');
    expect(later.snapshot().facts).toMatchObject({ defences: { bans: [], operatorBans: [['a', 'spoils it']] } });
  });

  it('[I5] [K2] of a snapshot that does not say whose they are hold like the operator’s', () => {
    const driver = new Driver(tinyRun(asgd));
    const snapshot = driver.snapshot();
    const facts = structuredClone(snapshot.facts) as { defences: Record<string, unknown> };
    delete facts.defences['operatorBans'];
    put(facts, 'defences.bans', [['a', 'spoils it']]);
    const later = Driver.resumed(driver.coordinator.setup(RUN), { ...snapshot, facts: facts as typeof snapshot.facts });
    expect(later.coordinator.refusal(RUN, asWorkerId('a'))).toBe('banned');
    expect(later.snapshot().facts).toMatchObject({ defences: { bans: [], operatorBans: [['a', 'spoils it']] } });
  });
});
