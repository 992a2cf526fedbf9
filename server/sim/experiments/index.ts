// Every experiment by the name that a user types.

import { ATTACKED } from './attacks.ts';
import { E1_NAG } from './e1-nag.ts';
import { E1, E1_SMALL, E1_SWEEP } from './e1.ts';
import { E2 } from './e2.ts';
import { E3 } from './e3.ts';
import { E4 } from './e4.ts';
import { E5 } from './e5.ts';
import type { Experiment } from './experiment.ts';
import { FAULTS } from './faults.ts';

export const EXPERIMENTS: readonly Experiment[] = [E1_SMALL, E1_SWEEP, E1_NAG, E1, E2, E3, E4, E5, ATTACKED, FAULTS];
