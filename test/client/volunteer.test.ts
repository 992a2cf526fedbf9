// The volunteer's page: its state, its words, its small chart, the nickname.

import { describe, expect, it } from 'vitest';
import { deviceWords, offerOf } from '../../client/volunteer/device.ts';
import { cleanNickname } from '../../client/volunteer/nickname.ts';
import { linePath, rangeOf } from '../../client/volunteer/path.ts';
import { companyText, OPERATOR_PAUSED, pageTitle, phaseWords, thanks } from '../../client/volunteer/phases.ts';
import {
  contributionEnded,
  contributionStarted,
  EMPTY_STATE,
  isContributing,
  pickRun,
  readAddress,
  viewArrived,
} from '../../client/volunteer/state.ts';
import { epochText, datasetTitle, modelTitle, progressOf } from '../../client/page/words.ts';
import { NAME_CHARS_MAX } from '../../shared/protocol/limits.ts';
import { aRun, aView } from './fixtures.ts';

describe('volunteer state', () => {
  it('contributes from the start until an end, pauses included', () => {
    const started = contributionStarted(EMPTY_STATE);
    expect(isContributing(EMPTY_STATE)).toBe(false);
    expect(isContributing(started)).toBe(true);
    expect(isContributing(viewArrived(started, aView({ phase: 'paused' })))).toBe(true);
    for (const phase of ['finished', 'stopped', 'failed'] as const) {
      expect(isContributing(viewArrived(started, aView({ phase })))).toBe(false);
    }
  });

  it('prefers the run that the worker brings, and keeps the polled one without it', () => {
    const state = { ...EMPTY_STATE, run: aRun({ version: 1 }) };
    expect(viewArrived(state, aView()).run?.version).toBe(1);
    expect(viewArrived(state, aView({ run: aRun({ version: 2 }) })).run?.version).toBe(2);
  });

  it('keeps the counts of a worker that broke', () => {
    const state = viewArrived(EMPTY_STATE, aView({ steps: 12 }));
    expect(contributionEnded(state, 'failed', 'why').view).toMatchObject({
      phase: 'failed',
      steps: 12,
      message: 'why',
    });
  });

  it('offers the first running run, else a paused one, else any', () => {
    const finished = aRun({ id: 'a', status: 'finished' });
    const paused = aRun({ id: 'b', status: 'paused' });
    expect(pickRun([finished, paused, aRun({ id: 'c' })])?.id).toBe('c');
    expect(pickRun([finished, paused])?.id).toBe('b');
    expect(pickRun([finished])?.id).toBe('a');
    expect(pickRun([])).toBeNull();
  });

  it('reads the run and a known backend from the address', () => {
    expect(readAddress('?run=x&backend=wasm')).toEqual({ run: 'x', backend: 'wasm' });
    expect(readAddress('?run=&backend=quantum')).toEqual({ run: null, backend: null });
  });
});

describe('volunteer words', () => {
  it('names the tab by its state', () => {
    const state = { ...EMPTY_STATE, link: 'ready', run: aRun() } as const;
    expect(pageTitle(EMPTY_STATE)).toBe('Murmuration');
    expect(pageTitle(state)).toBe('Fashion · Murmuration');
    expect(pageTitle({ ...state, run: null })).toBe('No run · Murmuration');
    expect(pageTitle({ ...state, link: 'unreachable' })).toBe('Coordinator unreachable · Murmuration');
    expect(pageTitle({ ...state, view: aView({ steps: 1234 }) })).toBe('Training… 1,234 steps · Murmuration');
    expect(pageTitle({ ...state, view: aView({ phase: 'paused' }) })).toBe('Paused · Murmuration');
  });

  it('says what the worker says, and that the operator has paused', () => {
    expect(phaseWords(aView({ phase: 'failed', message: 'No backend works.' })).detail).toBe('No backend works.');
    const paused = aRun({ status: 'paused' });
    expect(phaseWords(aView({ phase: 'waiting', run: paused })).detail).toBe(OPERATOR_PAUSED);
    expect(phaseWords(aView({ phase: 'waiting', run: aRun() })).detail).not.toBe(OPERATOR_PAUSED);
  });

  it('counts in words', () => {
    expect(companyText(0)).toContain('be the first');
    expect(companyText(1)).toContain('One volunteer');
    expect(companyText(1200)).toContain('1,200 volunteers');
    expect(thanks(aView({ steps: 1, samples: 64 }))).toBe('You computed 1 step; 64 samples went into the model.');
  });

  it('marks a software fallback and tells why other backends were passed over', () => {
    const device = { backend: 'webgpu', adapter: 'SwiftShader', fallback: true, tried: [] } as const;
    expect(deviceWords({ ...device, tried: [] }).note).toContain('software');
    const tried = [{ backend: 'webgl' as const, reason: 'self-test failed' }];
    const words = deviceWords({ ...device, fallback: false, tried });
    expect(words.note).toBeNull();
    expect(words.passedOver).toEqual(['WebGL: self-test failed']);
  });

  it('tells a missing WebGPU from one withheld by plain http', () => {
    expect([offerOf(true, true), offerOf(true, false), offerOf(false, false)]).toEqual([
      'webgpu',
      'no-webgpu',
      'insecure',
    ]);
  });

  it('gives known names their titles and shows unknown ones as they are', () => {
    expect([datasetTitle('mnist'), datasetTitle('toString')]).toEqual(['MNIST', 'toString']);
    expect([modelTitle('cnn'), modelTitle('gpt')]).toEqual(['Convolutional network', 'gpt']);
  });

  it('counts epochs as people do, and never beyond the last', () => {
    expect(epochText(aRun({ epoch: 0 }))).toBe('Epoch 1 of 10');
    expect(epochText(aRun({ epoch: 10 }))).toBe('Epoch 10 of 10');
    expect(progressOf(aRun({ samples: 2500 }))).toBe(0.25);
    expect(progressOf(aRun({ samplesPerEpoch: 0 }))).toBe(0);
  });
});

describe('nickname', () => {
  it('is one line without control or direction characters', () => {
    expect(cleanNickname('  ada\t\n lovelace\u202e ')).toBe('ada lovelace');
    expect(cleanNickname('<b>ada</b>')).toBe('<b>ada</b>');
  });

  it('is cut to what the coordinator accepts, never within a character', () => {
    expect(cleanNickname('x'.repeat(100))).toHaveLength(NAME_CHARS_MAX);
    expect(cleanNickname(`${'x'.repeat(NAME_CHARS_MAX - 1)}🐦`)).toBe('x'.repeat(NAME_CHARS_MAX - 1));
  });
});

describe('small chart', () => {
  const scales = { x: [0, 4], y: [0, 2], box: { width: 40, height: 20 } } as const;

  it('finds the range of what is known', () => {
    expect(rangeOf([null, 3, 1], [2, null])).toEqual([1, 3]);
    expect(rangeOf([null], [])).toBeNull();
  });

  it('lifts the pen at a gap', () => {
    const path = linePath([0, 1, 2, 3], [2, 1, null, 0], scales);
    expect(path).toBe('M0.0 0.0h0L10.0 10.0M30.0 20.0h0');
  });

  it('joins sparse measurements across nulls', () => {
    expect(linePath([0, 1, 2], [2, null, 0], scales, true)).toBe('M0.0 0.0h0L20.0 20.0');
  });

  it('draws a flat line in the middle', () => {
    expect(linePath([0, 4], [1, 1], { ...scales, y: [1, 1] })).toBe('M0.0 10.0h0L40.0 10.0');
  });
});
