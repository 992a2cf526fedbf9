// How to bring volunteers to the run: the address to share, and the command for a machine without a browser.

import { Button, Code, Text } from '@radix-ui/themes';
import { useState } from 'react';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { store } from './model.ts';

export function Invite() {
  const several = useStore(store, (state) => (state.runs?.length ?? 0) > 1);
  const runId = useStore(store, (state) => state.runId);
  // One run needs no name: both ends take the first that is running.
  const run = several && runId !== null ? runId : null;
  const address = `${location.origin}/${run === null ? '' : `?run=${encodeURIComponent(run)}`}`;
  const command = `npm run volunteer -- --url ${location.origin}${run === null ? '' : ` --run ${run}`}`;
  return (
    <div className="invite">
      <Text as="p" size="3" weight="medium">
        Share this address: whoever opens it can lend a GPU.
      </Text>
      <p className="invite-line">
        <Code size="3">{address}</Code>
        <CopyButton text={address} />
      </p>
      <Text as="p" size="2" color="gray">
        On a machine without a browser, in a copy of this project: <Code>{command}</Code>
      </Text>
      {!isSecureContext && (
        <Text as="p" size="2" color="gray">
          This address is plain http: browsers offer their GPU only over https, and compute on the CPU here.
        </Text>
      )}
    </div>
  );
}

/** Absent where the browser withholds the clipboard. */
function CopyButton({ text }: { text: string }) {
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
