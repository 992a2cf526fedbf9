// Something with more to say, on hover and on focus; to a screen reader at once.

import { Tooltip } from '@radix-ui/themes';

export function Noted({ notes, children }: { notes: readonly string[]; children: React.ReactNode }) {
  return (
    <Tooltip content={notes.join('\n')} className="notes">
      <button type="button" className="hint">
        {children}
        <span className="sr-only"> ({notes.join('; ')})</span>
      </button>
    </Tooltip>
  );
}
