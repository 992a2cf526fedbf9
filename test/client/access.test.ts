// Getting in: what the operator is told, the invitation, the join code in an address, and what a request carries.

import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { refusedAccess } from '../../client/dashboard/access.ts';
import { invitationOf } from '../../client/dashboard/invitation.ts';
import { ApiFailure, requestJson } from '../../client/page/api.ts';
import { codeOfFragment } from '../../client/volunteer/join-code.ts';
import { contributionReconsidered, EMPTY_STATE, viewArrived } from '../../client/volunteer/state.ts';
import { aView } from './fixtures.ts';

describe('an operator who is not let in', () => {
  it('is told of a wrong token, and of everything else in the coordinator’s words', () => {
    expect(refusedAccess({ status: 401, message: 'expected' })).toMatchObject({
      state: 'refused',
      message: expect.stringContaining('does not know this token') as string,
    });
    const message = 'too many wrong tokens: try again in 900 s';
    expect(refusedAccess({ status: 429, message })).toEqual({ state: 'refused', message });
  });
});

describe('requests', () => {
  afterEach(() => vi.unstubAllGlobals());
  const answering = (status: number, body: string | null) => {
    const asked: RequestInit[] = [];
    vi.stubGlobal('fetch', (_path: string, init: RequestInit) => {
      asked.push(init);
      return Promise.resolve(new Response(body, { status }));
    });
    return asked;
  };

  it('show the token when it is exchanged, and nothing of it afterwards', async () => {
    const asked = answering(200, '{}');
    await requestJson('/api/admin/session', { method: 'POST', token: 'abc' });
    await requestJson('/api/runs/digits/pause', { method: 'POST' });
    expect(asked.map(({ headers }) => headers)).toEqual([{ authorization: 'Bearer abc' }, {}]);
  });

  it('take an answer without a body, and no other that is not JSON', async () => {
    answering(204, null);
    expect(await requestJson('/api/admin/session', { method: 'DELETE' })).toBe(null);
    answering(200, '<html>');
    await expect(requestJson('/api/runs')).rejects.toThrow(ApiFailure);
  });
});

describe('an invitation', () => {
  it('has the run where there are several, and the code where there is one', () => {
    const origin = 'https://host:8443';
    expect(invitationOf(origin, null, null)).toMatchObject({
      address: 'https://host:8443/',
      command: 'npm run volunteer -- --url https://host:8443',
    });
    expect(invitationOf(origin, 'digits', { kind: 'code', code: 'starling' })).toMatchObject({
      address: 'https://host:8443/?run=digits#code=starling',
      command: 'npm run volunteer -- --url https://host:8443 --run digits --code starling',
    });
  });

  it('[I4] carries any code to the page, and to a shell as one word', () => {
    for (const code of ['open sesame', 'a&b=c#d', 'it’s “this”', "quote'd; rm -rf", '100%25']) {
      const { address, command } = invitationOf('http://h', null, { kind: 'code', code });
      expect(codeOfFragment(new URL(address).hash)).toBe(code);
      const word = command.slice(command.indexOf('--code ') + '--code '.length);
      expect(execFileSync('sh', ['-c', `printf %s ${word}`]).toString()).toBe(code);
    }
  });

  it('[I4] says whom it lets in', () => {
    expect(invitationOf('', null, { kind: 'open' }).who).toContain('whoever opens it');
    expect(invitationOf('', null, { kind: 'code', code: 'x' }).who).toContain('contains the join code');
    expect(invitationOf('', null, { kind: 'list', workers: [] }).who).toContain('Only listed devices');
  });
});

describe('a join code', () => {
  it('is read from the fragment, without what surrounds it', () => {
    expect(codeOfFragment('#code=starling')).toBe('starling');
    expect(codeOfFragment('#other=1&code=+starling%20')).toBe('starling');
    expect(codeOfFragment('#code=')).toBe(null);
    expect(codeOfFragment('')).toBe(null);
    expect(codeOfFragment(`#code=${'x'.repeat(65)}`)).toBe(null);
  });

  it('can be corrected after it was refused', () => {
    const refused = viewArrived(EMPTY_STATE, aView({ phase: 'failed' }));
    expect(contributionReconsidered(refused).view).toBe(null);
  });
});
