// What every method must do, whatever it is: it is found in its folder, and needs no line here.

import { describe, expect, it } from 'vitest';
import { loadMethods, methodNamed } from '../../server/registry.ts';
import { checkHyperparameters, checkMethod } from './checks.ts';

const registry = await loadMethods();
const methods = [...registry.values()];

describe('the registry', () => {
  it('[A9] has the four methods that everything else is measured against', () => {
    expect([...registry.keys()]).toEqual(expect.arrayContaining(['asgd', 'gap-aware', 'ssgd', 'staleness-aware']));
  });

  it('[A9] lists the names there are when one is asked for that there is not', () => {
    expect(() => methodNamed(registry, 'sgdd')).toThrow(/no method "sgdd"; there are .*asgd, .*ssgd/);
  });

  it('[A9] refuses a file whose method has another name', async () => {
    await expect(loadMethods(new URL('../../shared/model/', import.meta.url))).rejects.toThrow(
      'expected a default export named',
    );
  });
});

describe.each(methods)('$name', checkMethod);

describe.each(methods)('hyper-parameters of $name', checkHyperparameters);
