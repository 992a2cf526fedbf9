// What must hold of the volunteer whatever happens: reads every event and effect, and throws when a rule is broken.

import type { VolunteerEffect, VolunteerEvent } from '../../shared/volunteer/events.ts';

export class Watch {
  readonly held = new Set<string>();
  readonly pushing = new Set<string>();
  step: string | null = null;
  pulling = false;
  ended = false;
  /** Ever computed; ever settled, or given back: a lease ends once. */
  private readonly computed = new Set<string>();
  private readonly over = new Set<string>();
  private hidden = false;
  private readonly leasesMax: number;

  constructor(leasesMax: number) {
    this.leasesMax = leasesMax;
  }

  /** One event and what came of it. */
  check(event: VolunteerEvent, effects: readonly VolunteerEffect[]): void {
    const heldBefore = this.held.size;
    const wasOver = this.ended;
    this.hear(event);
    for (const effect of effects) {
      if (wasOver && effect.type !== 'release') throw new Error(`${effect.type} after the end`);
      this.see(effect);
    }
    if (wasOver) return;
    if (this.held.size > this.leasesMax) throw new Error(`${this.held.size} leases in hand`);
    if (this.hidden && this.held.size > Math.max(1, heldBefore)) throw new Error('a hidden tab takes a second lease');
  }

  private hear(event: VolunteerEvent): void {
    if (event.type === 'visibility') this.hidden = event.hidden;
    if (event.type === 'computed' || event.type === 'compute-failed') {
      if (this.step === event.lease) this.step = null;
      if (event.type === 'computed' && this.held.has(event.lease)) this.computed.add(event.lease);
    }
    if (event.type === 'request-failed' && event.request.kind === 'push') this.pushing.delete(event.request.lease);
    if (event.type === 'request-failed' && event.request.kind === 'pull') this.pulling = false;
    if (event.type === 'pushed') this.pushing.delete(event.lease);
    if (event.type === 'pulled') this.pulling = false;
    if ((event.type === 'pulled' || event.type === 'pushed') && event.reply.next.kind === 'lease') {
      this.held.add(event.reply.next.lease.id);
    }
  }

  private see(effect: VolunteerEffect): void {
    switch (effect.type) {
      case 'choose-device':
        this.step = null; // the device is gone, and its step with it
        return;
      case 'pull':
        if (this.pulling) throw new Error('two pulls at once');
        this.pulling = true;
        return;
      case 'compute':
        if (this.step !== null) throw new Error(`a step of ${effect.lease.id} during one of ${this.step}`);
        if (!this.held.has(effect.lease.id)) throw new Error(`computes ${effect.lease.id}, which it does not hold`);
        this.step = effect.lease.id;
        return;
      case 'push':
        if (this.pushing.has(effect.lease.id)) throw new Error(`pushes ${effect.lease.id} twice at once`);
        if (!this.computed.has(effect.lease.id))
          throw new Error(`pushes ${effect.lease.id}, which it has not computed`);
        if (!this.held.has(effect.lease.id)) throw new Error(`pushes ${effect.lease.id}, which it does not hold`);
        this.pushing.add(effect.lease.id);
        return;
      case 'release':
        return effect.leases.forEach((lease) => this.letGo(lease));
      case 'forget':
        return this.letGo(effect.lease);
      case 'disconnect':
        this.ended = true;
        return;
      default:
        return;
    }
  }

  private letGo(lease: string): void {
    if (!this.held.delete(lease) || this.over.has(lease)) throw new Error(`lets go of ${lease} again`);
    this.over.add(lease);
  }
}
