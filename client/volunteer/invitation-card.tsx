// Before contributing: what will be used, an optional nickname, and the button.

import { Button, Callout, Card, Heading, Text, TextField } from '@radix-ui/themes';
import { useState, type FormEvent } from 'react';
import { NAME_CHARS_MAX } from '../../shared/protocol/limits.ts';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { offerText } from './device.ts';
import { InsecureNotice } from './insecure-notice.tsx';
import { CODE_CHARS_MAX } from './join-code.ts';
import { ListNotice } from './list-notice.tsx';
import { actions, offer, savedCode, savedNickname, store } from './model.ts';
import { OPERATOR_PAUSED } from './phases.ts';
import { isOpen, type VolunteerState } from './state.ts';

export function InvitationCard() {
  const state = useStore(store, (value) => value);
  const [nickname, setNickname] = useState(savedNickname);
  const [code, setCode] = useState(savedCode);
  const admission = state.run?.admission ?? 'open';
  const open = state.link === 'ready' && state.run !== null && isOpen(state.run);
  const ready = open && (admission !== 'code' || code.trim() !== '');
  const contribute = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) actions.contribute(nickname, code);
  };
  return (
    <Card size="3" asChild>
      <section aria-labelledby="contribute-title">
        <Heading as="h2" size="5" id="contribute-title">
          Contribute
        </Heading>
        <Text as="p" size="3" color="gray" mt="1">
          {offerText(offer)}
        </Text>
        {offer === 'insecure' && <InsecureNotice />}
        {admission === 'list' && <ListNotice />}
        <form className="contribute" onSubmit={contribute}>
          <label htmlFor="nickname">
            <Text size="2" weight="medium">
              Nickname
            </Text>{' '}
            <Text size="2" color="gray">
              (optional)
            </Text>
          </label>
          <TextField.Root
            id="nickname"
            size="3"
            value={nickname}
            maxLength={NAME_CHARS_MAX}
            autoComplete="nickname"
            spellCheck={false}
            aria-describedby="nickname-help"
            onChange={(event) => setNickname(event.target.value)}
          />
          <Text as="p" size="1" color="gray" id="nickname-help">
            Shown to the operator beside your GPU. Remembered in this browser only.
          </Text>
          {admission === 'code' && <CodeField code={code} onCode={setCode} />}
          <Button size="4" type="submit" disabled={!ready} className="contribute-button">
            <Icon name="play" /> Contribute
          </Button>
        </form>
        <Obstacle state={state} />
      </section>
    </Card>
  );
}

/** For a run that is not open to everybody; an invitation brings it along. */
function CodeField({ code, onCode }: { code: string; onCode: (code: string) => void }) {
  return (
    <>
      <label htmlFor="join-code">
        <Text size="2" weight="medium">
          Join code
        </Text>
      </label>
      <TextField.Root
        id="join-code"
        size="3"
        value={code}
        maxLength={CODE_CHARS_MAX}
        autoComplete="off"
        spellCheck={false}
        required
        aria-describedby="join-code-help"
        onChange={(event) => onCode(event.target.value)}
      />
      <Text as="p" size="1" color="gray" id="join-code-help">
        From whoever invited you. Remembered for this tab only.
      </Text>
    </>
  );
}

/** Why the button is off, or what to expect when it is pressed. */
function Obstacle({ state: { link, run } }: { state: VolunteerState }) {
  if (link === 'unreachable') {
    return (
      <Callout.Root color="amber" mt="4" role="alert">
        <Callout.Icon>
          <Icon name="warning" />
        </Callout.Icon>
        <Callout.Text>
          The coordinator does not answer. This page tries again every few seconds.{' '}
          <Button size="1" variant="surface" color="amber" onClick={actions.retry}>
            Try now
          </Button>
        </Callout.Text>
      </Callout.Root>
    );
  }
  const text = obstacleText(link, run);
  return text === null ? null : (
    <Callout.Root color="gray" mt="4">
      <Callout.Icon>
        <Icon name="info" />
      </Callout.Icon>
      <Callout.Text>{text}</Callout.Text>
    </Callout.Root>
  );
}

function obstacleText(link: VolunteerState['link'], run: VolunteerState['run']): string | null {
  if (link === 'loading') return null;
  if (run === null) return 'There is no run to contribute to. This page notices by itself when one begins.';
  if (run.status === 'finished') return 'This run has finished: every sample has been seen. Thank you for coming.';
  if (run.status === 'stopped') return 'The operator has stopped this run.';
  return run.status === 'paused' ? OPERATOR_PAUSED : null;
}
