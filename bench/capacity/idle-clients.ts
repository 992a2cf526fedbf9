// Volunteers that are connected and compute nothing, in a process of their own. Says when all of them were welcomed.

import { idleVolunteer } from '../../test/proxy/idle.ts';

export interface IdleSetup {
  readonly url: string;
  readonly ca: string | null;
  readonly run: string;
  readonly clients: number;
  /** Numbers from here on: each has an address by its own. */
  readonly from: number;
}

const { url, ca, run, clients, from } = JSON.parse(process.argv[2]!) as IdleSetup;
const welcomed = new Set<number>();
for (let number = from; number < from + clients; number++) {
  const onWelcome = (): void => {
    welcomed.add(number);
    if (welcomed.size === clients) process.send!('here');
  };
  await idleVolunteer({ url, run, number, onWelcome, ...(ca !== null && { ca }) });
}
process.on('disconnect', () => process.exit(0));
