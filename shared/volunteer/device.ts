// Which device the volunteer computes on, and when it gives one up. It chooses nothing itself: the shell tries backends.

import { BACKENDS, type Backend, type Device } from '../protocol/messages.ts';
import type { VolunteerEffect } from './events.ts';
import { GARBAGE_IN_A_ROW_MAX, LOSSES_MAX, LOSS_WINDOW_MS } from './limits.ts';

export class DeviceKeeper {
  device: Device | null = null;
  choosing = false;
  /** Why another device is being chosen. */
  trouble: string | null = null;
  private lossTimesMs: readonly number[] = [];
  private garbageInARow = 0;
  private readonly excluded = new Set<Backend>();

  get ready(): boolean {
    return this.device !== null && !this.choosing;
  }

  /** Backends given up, in the order of BACKENDS. */
  get exclude(): readonly Backend[] {
    return BACKENDS.filter((backend) => this.excluded.has(backend));
  }

  /** Asks for a device: the volunteer's own wish first, and none that was given up. */
  choose(trouble: string | null, wish: Backend | undefined): Extract<VolunteerEffect, { type: 'choose-device' }> {
    this.trouble = trouble;
    this.choosing = true;
    const { exclude } = this;
    const prefer = wish === undefined || exclude.includes(wish) ? null : wish;
    return { type: 'choose-device', prefer, exclude };
  }

  /** Takes the device that was chosen; true when it is another one than before. */
  chosen(device: Device): boolean {
    const changed = device.backend !== this.device?.backend || device.adapter !== this.device.adapter;
    if (device.backend !== this.device?.backend) this.lossTimesMs = [];
    this.garbageInARow = 0;
    this.device = device;
    this.choosing = false;
    this.trouble = null;
    return changed;
  }

  /** The device is gone. Its backend is given up after LOSSES_MAX of them within LOSS_WINDOW_MS. */
  lost(nowMs: number): void {
    this.lossTimesMs = [...this.lossTimesMs.filter((at) => nowMs - at < LOSS_WINDOW_MS), nowMs];
    if (this.lossTimesMs.length >= LOSSES_MAX) this.giveUp();
  }

  stepWasGood(): void {
    this.garbageInARow = 0;
  }

  /** True when the device is given up for it. */
  stepWasGarbage(): boolean {
    this.garbageInARow += 1;
    if (this.garbageInARow < GARBAGE_IN_A_ROW_MAX) return false;
    this.giveUp();
    return true;
  }

  private giveUp(): void {
    if (this.device !== null) this.excluded.add(this.device.backend);
    this.lossTimesMs = [];
    this.garbageInARow = 0;
  }
}
