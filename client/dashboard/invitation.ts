// The address and the command that bring volunteers to a run, with its join code when it has one. Pure.

import type { AdmissionRule } from '../../shared/config.ts';

export interface Invitation {
  readonly address: string;
  readonly command: string;
  /** Whom it lets in. */
  readonly who: string;
}

/** `run`: null where there is only one. `rule`: null until it is known. */
export function invitationOf(origin: string, run: string | null, rule: AdmissionRule | null): Invitation {
  const code = rule?.kind === 'code' ? rule.code : null;
  const query = run === null ? '' : `?run=${encodeURIComponent(run)}`;
  const fragment = code === null ? '' : `#${new URLSearchParams({ code }).toString()}`;
  const options = [...(run === null ? [] : ['--run', run]), ...(code === null ? [] : ['--code', quoted(code)])];
  return {
    address: `${origin}/${query}${fragment}`,
    command: ['npm run volunteer -- --url', origin, ...options].join(' '),
    who: whom(rule),
  };
}

function whom(rule: AdmissionRule | null): string {
  switch (rule?.kind) {
    case 'code':
      return 'Share this address with those who may take part: it contains the join code.';
    case 'list':
      return 'Only listed devices may take part: this address shows a visitor the id of their device, to send to you.';
    case 'open':
    case undefined:
      return 'Share this address: whoever opens it can lend a GPU.';
    default:
      return rule satisfies never;
  }
}

/** For a shell. */
const quoted = (text: string): string => (/^[\w.@%+=:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
