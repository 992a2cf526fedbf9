// How to bring volunteers to the run: the address to share, and the command for a machine without a browser.

import { Code, Text } from '@radix-ui/themes';
import { useEffect } from 'react';
import { CopyButton } from '../page/copy-button.tsx';
import { useStore } from '../page/store.ts';
import { actions, store } from './model.ts';
import { invitationOf } from './invitation.ts';

export function Invite() {
  const several = useStore(store, (state) => (state.runs?.length ?? 0) > 1);
  const runId = useStore(store, (state) => state.runId);
  const rule = useStore(store, (state) => state.admission);
  useEffect(() => actions.askAdmission(), [runId]);
  // One run needs no name: both ends take the first that is running.
  const run = several && runId !== null ? runId : null;
  const { address, command, who } = invitationOf(location.origin, run, rule);
  return (
    <div className="invite">
      <Text as="p" size="3" weight="medium">
        {who}
      </Text>
      <p className="invite-line">
        <Code size="3">{address}</Code>
        <CopyButton text={address} />
      </p>
      <Text as="p" size="2" color="gray">
        On a machine without a browser, in a copy of this project: <Code>{command}</Code>
      </Text>
      <Text as="p" size="2" color="gray">
        Whoever takes part can read the samples and the parameters: never train on private data this way.
      </Text>
      {!isSecureContext && (
        <Text as="p" size="2" color="gray">
          This address is plain http: browsers lend a GPU only over https, and compute on the CPU here. A certificate
          for your own network: <Code>npm run dev-cert</Code>
        </Text>
      )}
    </div>
  );
}
