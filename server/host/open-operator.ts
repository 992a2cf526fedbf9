// The operator's token and sessions, from the environment and the state folder.

import type { Logger } from 'pino';
import { Operator, randomToken } from '../adapters/http/operator.ts';
import { keepAdminToken, keepEnded, readAdminToken, readEnded } from './operator-files.ts';

export interface OpenOperatorOptions {
  /** Where nothing is to be kept, the token is good for this process. */
  readonly stateDir: string | undefined;
  /** Given by the environment: it counts before the one that is kept. */
  readonly adminToken: string | null;
  readonly secret: Buffer;
  readonly log: Logger;
}

/** Throws one sentence when the state folder cannot be used. */
export async function openOperator(options: OpenOperatorOptions): Promise<{ operator: Operator; token: string }> {
  const { stateDir, adminToken, secret, log } = options;
  const token = adminToken ?? (stateDir === undefined ? randomToken() : await readAdminToken(stateDir));
  const operator = new Operator({
    token,
    tokenGiven: adminToken !== null,
    secret,
    keepToken: (next) => (stateDir === undefined ? Promise.resolve() : keepAdminToken(stateDir, next)),
    ended: stateDir === undefined ? [] : await readEnded(stateDir),
    keepEnded: (ended) => {
      if (stateDir === undefined) return;
      keepEnded(stateDir, ended).catch((error: unknown) =>
        log.error(
          { err: error },
          'a session that was ended comes back with the next start: it could not be written down',
        ),
      );
    },
    nowMs: () => performance.now(),
    wallMs: Date.now,
  });
  return { operator, token };
}
