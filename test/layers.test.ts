// The layers of the program, kept by reading every import line.

import { describe, expect, it } from 'vitest';
import { importsOf, sourcesUnder, violation, type Import } from './imports.ts';

const files = ['shared', 'server', 'client', 'tools', 'test'].flatMap(sourcesUnder);
const imports = files.flatMap(({ path, text }) => importsOf(path, text));

describe('the layers', () => {
  it('no import goes where its layer may not', () => {
    expect(imports.length).toBeGreaterThan(300);
    expect(imports.map(violation).filter((wrong) => wrong !== null)).toEqual([]);
  });

  it('every import of ours finds a file', () => {
    const paths = new Set(files.map(({ path }) => path));
    const missing = imports.filter(({ ours, to }) => ours && /\.tsx?$/.test(to) && !paths.has(to));
    expect(missing.map(({ from, to }) => `${from}: ${to}`)).toEqual([]);
  });

  it('nothing that a page loads reaches TensorFlow.js, however far', () => {
    const values = imports.filter(({ typeOnly }) => !typeOnly);
    const reached = new Set(
      files.map(({ path }) => path).filter((path) => /^client\/(main|page|dashboard|volunteer)/.test(path)),
    );
    const pages = reached.size;
    for (const path of reached) {
      for (const { to, ours } of values.filter(({ from }) => from === path)) if (ours) reached.add(to);
    }
    expect(pages).toBeGreaterThan(20);
    expect(values.filter(({ from, to }) => reached.has(from) && to.startsWith('@tensorflow'))).toEqual([]);
  });
});

describe('a planted violation', () => {
  const plant = (from: string, line: string): (string | null)[] => importsOf(from, `${line}\n`).map(violation);

  it.each<[string, string]>([
    ['shared/vec.ts', "import { Coordinator } from '../server/core/coordinator.ts';"],
    ['shared/vec.ts', "import { readFileSync } from 'node:fs';"],
    ['shared/protocol/frame.ts', "import { network } from '../nn/network.ts';"],
    ['shared/nn/model.ts', "import * as z from 'zod/mini';"],
    ['shared/volunteer/machine.ts', "import { io } from 'socket.io-client';"],
    ['server/core/run.ts', "import { loadMethods } from '../registry.ts';"],
    ['server/core/run.ts', "import type { Door } from '../door.ts';"],
    ['server/core/run.ts', "import asgd from '../methods/asgd.ts';"],
    ['server/core/run.ts', "import { createHash } from 'node:crypto';"],
    ['server/core/run.ts', "import { modelOf } from '../../shared/nn/model.ts';"],
    ['server/methods/asgd.ts', "import ssgd from './ssgd.ts';"],
    ['server/methods/asgd.ts', "export { default } from './ssgd.ts';"],
    ['server/methods/asgd.ts', "import { loadDataset } from '../adapters/datasets.ts';"],
    ['server/adapters/socketio.ts', "import asgd from '../methods/asgd.ts';"],
    ['server/adapters/socketio.ts', "import { cutShards } from './shards.ts';"],
    ['server/adapters/socketio.ts', "import { addApi } from './http/api.ts';"],
    ['server/adapters/http/api.ts', "import { controlPlane } from '../socketio.ts';"],
    ['server/adapters/http/api.ts', "import { Loop } from '../../host/loop.ts';"],
    ['server/sim/simulator.ts', "import { httpServer } from '../adapters/http/server.ts';"],
    ['server/sim/simulator.ts', "import { Loop } from '../host/loop.ts';"],
    ['client/worker/compute.ts', "import { useState } from 'react';"],
    ['client/worker/compute.ts', "import { Flex } from '@radix-ui/themes';"],
    ['client/dashboard/charts.tsx', "import * as tf from '@tensorflow/tfjs';"],
    ['client/dashboard/charts.tsx', "import { selfTest } from '../../shared/nn/selftest.ts';"],
    ['client/dashboard/charts.tsx', "import { hero } from '../volunteer/hero.tsx';"],
    ['client/volunteer/hero.tsx', "import { Trainer } from '../../shared/nn/trainer.ts';"],
    ['client/volunteer/hero.tsx', "const tf = await import('@tensorflow/tfjs');"],
    ['client/page/api.ts', "import { Coordinator } from '../../server/core/coordinator.ts';"],
    ['server/main.ts', "import { bridge } from '../client/worker/bridge.ts';"],
    ['server/main.ts', "import '@tensorflow/tfjs';"],
    ['elsewhere/file.ts', "import { vec } from '../shared/vec.ts';"],
  ])('in %s is found: %s', (from, line) => {
    expect(plant(from, line)).toEqual([expect.stringContaining(from)]);
  });

  it.each<[string, string]>([
    ['server/methods/asgd.ts', "import { asp } from '../core/gate.ts';"],
    ['server/adapters/datasets.ts', "import { SOURCES } from './datasets/sources.ts';"],
    ['server/adapters/evaluator-thread.ts', "import type { ToEvaluator } from './evaluator.ts';"],
    ['server/host/start.ts', "import { controlPlane } from '../adapters/socketio.ts';"],
    ['client/volunteer/contribution.ts', "import type { PageToWorker } from '../worker/bridge.ts';"],
    ['shared/config.ts', "import * as z from 'zod/mini';"],
    ['test/core/run.test.ts', "import { Driver } from './driver.ts';"],
  ])('is not seen where there is none: %s, %s', (from, line) => {
    expect(plant(from, line)).toEqual([null]);
  });

  it('an import is read over several lines, with types, and not in a comment', () => {
    const source = [
      "import {\n  a,\n  type B,\n} from './ab.ts';",
      "import type { C } from './c.ts';",
      "// import { d } from './d.ts';",
      "export * from './e.ts';",
      "import wasm from './f.wasm?url';",
    ].join('\n');
    const found = importsOf('shared/x.ts', source).map(({ to, typeOnly }: Import) => [to, typeOnly]);
    expect(found).toEqual([
      ['shared/ab.ts', false],
      ['shared/c.ts', true],
      ['shared/e.ts', false],
      ['shared/f.wasm', false],
    ]);
  });
});
