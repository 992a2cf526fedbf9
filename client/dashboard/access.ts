// What a person is told when the coordinator does not let them in. Pure.

import type { ApiFailure } from '../page/api.ts';
import type { Access } from './state.ts';

export const SESSION_ENDED = 'Your session has ended: sign in again.';
const UNKNOWN_TOKEN = 'The coordinator does not know this token. It prints the right one when it starts.';

export function refusedAccess({ status, message }: Pick<ApiFailure, 'status' | 'message'>): Access {
  const wrong = status === 401;
  return { state: 'refused', message: wrong ? UNKNOWN_TOKEN : message };
}
