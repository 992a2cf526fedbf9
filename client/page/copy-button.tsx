// Copies a text, and says so.

import { Button } from '@radix-ui/themes';
import { useState } from 'react';
import { Icon } from './icons.tsx';

/** Absent where the browser withholds the clipboard. */
export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  if (!('clipboard' in navigator)) return null;
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <Button size="1" variant="soft" onClick={copy} onBlur={() => setCopied(false)}>
      <Icon name="copy" /> <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
    </Button>
  );
}
