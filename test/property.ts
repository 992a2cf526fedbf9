// Property tests draw from one seed, so that a run of the tests repeats; FUZZ_SEED names another, for a longer search.

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 20_240) });

export default fc;
