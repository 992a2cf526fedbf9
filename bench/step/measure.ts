// What a distributed step costs one worker, against the same step alone: in the same thread, in turns, so that a busy
// machine slows both alike. Runs in a Node thread and in a tab's Web Worker.

import type { Device } from '../../shared/protocol/messages.ts';
import type { VolunteerView } from '../../shared/volunteer/view.ts';
import type { Compute, Computed, DeviceOptions, Job } from '../../client/worker/ports.ts';
import type { Shell } from '../../client/worker/shell.ts';

const TURNS = 9;
/** A turn is about this long, whatever a step takes. */
const TURN_MS = 600;
const STEPS_A_TURN = { min: 4, max: 200 };
const WARM_UP_STEPS = 10;

export interface StepFigures {
  readonly backend: string;
  readonly parameters: number;
  /** Medians over the turns, in milliseconds a step. */
  readonly alone: number;
  readonly distributed: number;
}

/** Counts the steps that go through it, and can repeat the last one alone. */
export class Metered implements Compute {
  readonly #compute: Compute;
  #job: Job | null = null;
  #steps = 0;
  #wanted = { steps: Infinity, resolve: (): void => undefined };
  backend = '';

  constructor(compute: Compute) {
    this.#compute = compute;
  }

  async chooseDevice(options: DeviceOptions): Promise<Device> {
    const device = await this.#compute.chooseDevice(options);
    this.backend = device.backend;
    return device;
  }

  async compute(job: Job): Promise<Computed> {
    this.#job ??= { ...job, theta: job.theta.slice() };
    const computed = await this.#compute.compute(job);
    this.#steps += 1;
    if (this.#steps >= this.#wanted.steps) this.#wanted.resolve();
    return computed;
  }

  /** Resolves when so many more steps have been computed for the coordinator. */
  further(steps: number): Promise<void> {
    return new Promise((resolve) => (this.#wanted = { steps: this.#steps + steps, resolve }));
  }

  /** The same step again and again, with nobody else: milliseconds each. */
  async alone(steps: number): Promise<number> {
    if (!this.#job) throw new Error('no step has been computed yet');
    const begin = performance.now();
    for (let i = 0; i < steps; i++) await this.#compute.compute(this.#job);
    return (performance.now() - begin) / steps;
  }

  get parameters(): number {
    return this.#job?.run.parameters ?? NaN;
  }
}

/** `phase` resolves when the volunteer shows that phase. */
export async function measureStep(
  metered: Metered,
  shell: Shell,
  phase: (wanted: VolunteerView['phase']) => Promise<void>,
): Promise<StepFigures> {
  shell.start();
  await metered.further(WARM_UP_STEPS);
  const steps = await stepsATurn(metered);
  const times = { alone: [] as number[], distributed: [] as number[] };
  for (let turn = 0; turn < TURNS; turn++) {
    const begin = performance.now();
    await metered.further(steps);
    times.distributed.push((performance.now() - begin) / steps);
    const paused = phase('paused');
    shell.user('pause');
    await paused;
    await shell.settled();
    times.alone.push(await metered.alone(steps));
    shell.user('resume');
    await metered.further(3);
  }
  shell.user('stop');
  const middle = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]!;
  const { backend, parameters } = metered;
  return { backend, parameters, alone: middle(times.alone), distributed: middle(times.distributed) };
}

async function stepsATurn(metered: Metered): Promise<number> {
  const begin = performance.now();
  await metered.further(WARM_UP_STEPS);
  const stepMs = (performance.now() - begin) / WARM_UP_STEPS;
  return Math.max(STEPS_A_TURN.min, Math.min(STEPS_A_TURN.max, Math.round(TURN_MS / stepMs)));
}

/** Listens to views, and lets somebody wait for a phase. */
export class Phases {
  #waiting: { wanted: VolunteerView['phase']; resolve: () => void } | null = null;

  readonly onView = ({ phase }: VolunteerView): void => {
    if (phase !== this.#waiting?.wanted) return;
    this.#waiting.resolve();
    this.#waiting = null;
  };

  readonly wait = (wanted: VolunteerView['phase']): Promise<void> =>
    new Promise((resolve) => (this.#waiting = { wanted, resolve }));
}
