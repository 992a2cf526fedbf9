// `npm run bench`: ratios, each against a baseline measured in the same run. Absolute times are this machine's.

import { loadMethods, methodNamed } from '../server/registry.ts';
import { benchProducts } from './products.ts';
import { benchPush } from './push.ts';
import { benchRefusal } from './refuse.ts';
import { benchSimulator } from './sim.ts';
import { benchStep } from './step/bench.ts';

const methods = await loadMethods();
console.log('\n## What our products of matrices bring to a gradient on wasm (LayerNorm MLP)\n');
console.log(await benchProducts());
console.log('\n## What one push costs the coordinator (gap-aware)\n');
console.log(await benchPush(methodNamed(methods, 'gap-aware')));
console.log('\n## What a push costs that is refused (1,000,000 parameters)\n');
console.log(await benchRefusal(methodNamed(methods, 'gap-aware')));
console.log('\n## What a distributed step costs a worker (gap-aware, loopback, one worker)\n');
console.log(await benchStep());
console.log('\n## What the simulator adds to a gradient (109,386 parameters, batches of 128, eight workers)\n');
console.log(await benchSimulator(methods));
