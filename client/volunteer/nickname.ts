// The name a volunteer may go by: cleaned, and remembered on this machine only.

import { NAME_CHARS_MAX } from '../../shared/protocol/limits.ts';
import { textSlot } from '../page/browser-storage.ts';

export const nicknameSlot = textSlot(() => localStorage, 'murmuration.nickname');

/** One line without control or direction characters, cut to what the coordinator accepts (UTF-16 units, as it counts). */
export function cleanNickname(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  let cut = '';
  for (const character of line) {
    if (cut.length + character.length > NAME_CHARS_MAX) break;
    cut += character;
  }
  return cut.trimEnd();
}
