// A hello with all that shows who says it: the proof of this device's key, where it has one, and the run's join code.

import type { Hello, Welcome } from '../../shared/protocol/messages.ts';
import { helloText } from '../../shared/protocol/proof.ts';
import type { DeviceKey } from './device-key.ts';
import type { Control } from './ports.ts';

export interface Pass {
  /** Null where the device cannot have a key. */
  readonly key: Promise<DeviceKey | null>;
  readonly joinCode: string | null;
}

/** A challenge can be too old by the time that it is answered, on a machine that sleeps: another is asked for once. */
const ATTEMPTS = 2;

/** The coordinator's answer. Rejects when there is none in time. */
export async function greet(control: Control, hello: Hello, { key, joinCode }: Pass): Promise<Welcome> {
  const device = await key;
  const said: Hello = joinCode === null ? hello : { ...hello, joinCode };
  if (device === null) return control.hello(said);
  for (let attempt = 1; ; attempt++) {
    const challenge = await control.challenge();
    const signature = await device.sign(helloText(hello.run, challenge));
    const welcome = await control.hello({ ...said, proof: { key: device.publicKey, challenge, signature } });
    if (attempt === ATTEMPTS || welcome.ok || welcome.refusal !== 'bad-key') return welcome;
  }
}
