// Bans a worker, for a reason, or lets it in again: asked before it is done.

import { AlertDialog, Button, Callout, Text, TextField } from '@radix-ui/themes';
import { useState, type FormEvent } from 'react';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { actions, store } from './model.ts';
import { workerName } from './sort.ts';
import { REASON_CHARS_MAX } from './standing.ts';
import type { Verdict, VerdictDialog as Dialog } from './state.ts';

export function VerdictDialog() {
  const dialog = useStore(store, (state) => state.verdictDialog);
  if (dialog.state === 'closed') return null;
  return (
    <AlertDialog.Root open onOpenChange={(to) => void (!to && actions.closeVerdict())}>
      <AlertDialog.Content maxWidth="460px">
        <Question dialog={dialog} />
      </AlertDialog.Content>
    </AlertDialog.Root>
  );
}

const WORDS: Record<Verdict, { title: (name: string) => string; effect: string; button: string }> = {
  ban: {
    title: (name) => `Ban ${name}?`,
    effect:
      'It is cut off at once and may not come back: neither it nor another tab of the same device. What it holds goes to others. What it has pushed so far stays in the model.',
    button: 'Ban it',
  },
  unban: {
    title: (name) => `Let ${name} back in?`,
    effect: 'Its device may take part again, as soon as it asks.',
    button: 'Let it back in',
  },
};

function Question({ dialog }: { dialog: Exclude<Dialog, { state: 'closed' }> }) {
  const { verdict, worker } = dialog;
  const row = useStore(store, ({ workers }) => workers.find(({ id }) => id === worker) ?? null);
  const [reason, setReason] = useState('');
  const { title, effect, button } = WORDS[verdict];
  const sending = dialog.state === 'sending';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    actions.giveVerdict(reason);
  };
  return (
    <form onSubmit={submit}>
      <AlertDialog.Title size="5">{title(row === null ? worker : workerName(row))}</AlertDialog.Title>
      <AlertDialog.Description size="3">{effect}</AlertDialog.Description>
      {verdict === 'ban' && <Reason value={reason} onValue={setReason} />}
      {verdict === 'unban' && row?.standing.banned && (
        <Text as="p" size="2" color="gray" mt="2">
          It was banned for this: {row.standing.banned}
        </Text>
      )}
      {dialog.state === 'asking' && dialog.message !== null && (
        <Callout.Root color="red" role="alert" size="1" mt="3">
          <Callout.Icon>
            <Icon name="warning" />
          </Callout.Icon>
          <Callout.Text>{dialog.message}</Callout.Text>
        </Callout.Root>
      )}
      <div className="dialog-buttons">
        <AlertDialog.Cancel>
          <Button type="button" variant="soft" color="gray" disabled={sending}>
            Cancel
          </Button>
        </AlertDialog.Cancel>
        <Button type="submit" color={verdict === 'ban' ? 'red' : 'teal'} loading={sending}>
          {button}
        </Button>
      </div>
    </form>
  );
}

function Reason({ value, onValue }: { value: string; onValue: (text: string) => void }) {
  return (
    <div className="reason-field">
      <label htmlFor="ban-reason">
        <Text size="2" weight="medium">
          Reason
        </Text>{' '}
        <Text size="2" color="gray">
          (optional; it is recorded)
        </Text>
      </label>
      <TextField.Root
        id="ban-reason"
        value={value}
        maxLength={REASON_CHARS_MAX}
        autoComplete="off"
        onChange={(event) => onValue(event.target.value)}
      />
    </div>
  );
}
