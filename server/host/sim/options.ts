// The command line of `npm run sim`, as one value. What is wrong with it is one sentence, and the process ends with 1.

import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { DATASET_NAMES } from '../../../shared/data/catalogue.ts';
import { MODEL_NAMES, type ModelName } from '../../../shared/model/spec.ts';
import type { FaultyWorkers } from '../../sim/byzantine.ts';
import type { Partition } from '../../sim/network.ts';
import * as read from './parsing.ts';

export const FLEET_NAMES = ['homogeneous', 'heterogeneous', 'volunteers', 'random'] as const;

export interface SimOptions {
  readonly methods: readonly read.NamedMethod[];
  readonly workers: readonly number[];
  readonly seeds: number;
  readonly dataset: string;
  readonly pool?: number;
  readonly trainSamples?: number;
  readonly model: ModelName;
  readonly hidden?: readonly number[];
  readonly batch: number;
  readonly epochs: number;
  readonly lr: number;
  readonly momentum?: number;
  readonly weightDecay: number;
  readonly set: readonly (readonly [string, number | string])[];
  readonly warmupEpochs: number;
  readonly decay: 'constant' | 'step' | 'cosine';
  readonly decayAt: readonly number[];
  readonly decayFactor: number;
  readonly fleet: (typeof FLEET_NAMES)[number];
  readonly leases?: number;
  readonly delay?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly partition: readonly Partition[];
  readonly stay?: number;
  readonly byzantine: readonly FaultyWorkers[];
  readonly finalTest: boolean;
  readonly json?: string;
  readonly plot?: string;
  readonly threads: number;
  readonly state: string;
}

const MINUTE_MS = 60_000;

/** Reads `npm run sim -- …`. Exits with a message for bad arguments and for --help. */
export function readSimOptions(argv: readonly string[]): SimOptions {
  const program = new Command('npm run sim --').description(
    'Compare methods under a simulated fleet: the real coordinator and volunteers under virtual time, with real gradients.',
  );
  addProblem(program);
  addTraining(program);
  addFleet(program);
  addOutput(program);
  program
    .addHelpText('after', '\nEnvironment:\n  DATA_DIR     folder of the data sets, only ever read (default: data)')
    .showHelpAfterError('(--help lists the options)')
    .parse(argv, { from: 'user' });
  if (program.args.length > 0) program.error(`error: unexpected argument "${program.args[0]}"`);
  return program.opts<SimOptions>();
}

function addProblem(program: Command): void {
  const names = [...DATASET_NAMES, 'fashion-mnist-14', 'quadratic', 'logistic'];
  program
    .optionsGroup('Problem:')
    .option('--dataset <name>', names.join(', '), read.oneOf(...names), 'digits')
    .option('--pool <side>', 'average the images down to this side', read.wholeIn(1, 1024))
    .option('--train-samples <n>', 'only so many of the training samples', read.wholeIn(1, 1e8))
    .option('--model <name>', MODEL_NAMES.join(', '), read.oneOf(...MODEL_NAMES), 'ln-mlp')
    .option('--hidden <widths>', 'of the hidden layers, as in 128,64', read.listOf(read.wholeIn(1, 65_536)));
}

function addTraining(program: Command): void {
  const share = read.numberIn(0, 1);
  program
    .optionsGroup('Training:')
    .addOption(
      new Option('--methods <names>', 'a method may have settings of its own: staleness-aware:momentum=0')
        .argParser(read.listOf(read.namedMethod))
        .default([read.namedMethod('asgd'), read.namedMethod('gap-aware')], 'asgd,gap-aware'),
    )
    .option('--batch <samples>', 'of one gradient', read.wholeIn(1, 4096), 64)
    .option('--epochs <n>', 'passes over the data, by all workers together', read.wholeIn(1, 10_000), 5)
    .option('--lr <number>', 'peak learning rate', read.numberIn(1e-12, 1e6), 0.05)
    .option('--momentum <number>', 'of the methods that have one (default: each its own)', share)
    .option('--weight-decay <number>', '', read.numberIn(0, 1e3), 0)
    .option('--set <settings>', 'of the methods that have them: lambda=2,bufferSize=4', read.listOf(read.setting), [])
    .option('--warmup-epochs <n>', 'the learning rate rises from lr/N to lr', read.numberIn(0, 1e4), 0)
    .option('--decay <kind>', 'constant, step, cosine', read.oneOf('constant', 'step', 'cosine'), 'constant')
    .option('--decay-at <shares>', 'of the epochs, where a step comes', read.listOf(share), [0.6, 0.85])
    .option('--decay-factor <number>', 'of each step, or what a cosine falls to', share, 0.1);
}

function addFleet(program: Command): void {
  const share = read.numberIn(0, 1);
  program
    .optionsGroup('Fleet:')
    .option('--workers <counts>', '', read.listOf(read.wholeIn(1, 2000)), [1, 8])
    .option('--seeds <n>', 'seeds 1 to n', read.wholeIn(1, 1000), 3)
    .option('--fleet <name>', FLEET_NAMES.join(', '), read.oneOf(...FLEET_NAMES), 'homogeneous')
    .option('--leases <n>', 'a worker may hold', read.wholeIn(1, 8))
    .option('--delay <ms>', 'one way, median of a log-normal', read.numberIn(0, MINUTE_MS))
    .option('--loss <share>', 'of messages lost', share)
    .option('--duplicate <share>', 'of messages that arrive twice', share)
    .option('--reorder <share>', 'of messages that are overtaken', share)
    .option('--partition <windows>', 'from-until:share, in ms', read.listOf(read.partition), [])
    .option('--stay <ms>', 'mean visit of a volunteer', read.numberIn(1, 1e9))
    .option('--byzantine <faults>', 'fault:workers, as in nan:1,sign-flip:2', read.listOf(read.faulty), []);
}

function addOutput(program: Command): void {
  program
    .optionsGroup('Output:')
    .option('--final-test', 'read the test split too, once, at the end of each run', false)
    .option('--json <file>', 'write a row a run')
    .option('--plot <file>', 'write the plots as SVG')
    .option('--threads <n>', 'runs at once', read.wholeIn(1, 256), availableParallelism())
    .option('--state <folder>', 'keeps finished runs, so that an interrupted table goes on', '.murmuration');
}
