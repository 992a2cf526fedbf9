// The button and the dialog that change the method of a run that goes on.

import { Button, Callout, Dialog, Select, Text } from '@radix-ui/themes';
import { useState, type FormEvent } from 'react';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { MethodFields } from './method-fields.tsx';
import { entriesFor, fieldsOf, firstEntries, requestOf } from './method-form.ts';
import type { MethodInfo } from './methods.ts';
import { actions, store } from './model.ts';
import { PaperLine } from './paper-line.tsx';
import { methodCanChange } from './state.ts';

export function MethodChange({ current }: { current: MethodInfo }) {
  const run = useStore(store, (state) => state.run);
  const open = useStore(store, (state) => state.methodDialog.state !== 'closed');
  if (run === null) return null;
  return (
    <Dialog.Root open={open} onOpenChange={(to) => (to ? actions.openMethodDialog() : actions.closeMethodDialog())}>
      {methodCanChange(run) && (
        <Dialog.Trigger>
          <Button variant="soft" mt="3">
            Change method…
          </Button>
        </Dialog.Trigger>
      )}
      <Dialog.Content maxWidth="640px">
        <Dialog.Title size="5">Change the method</Dialog.Title>
        <Dialog.Description size="2" color="gray">
          “{run.name}” goes on from the parameters that it has. Its schedule stays as it is.
        </Dialog.Description>
        <MethodForm run={run} current={current} />
      </Dialog.Content>
    </Dialog.Root>
  );
}

interface MethodFormProps {
  readonly run: RunSummary;
  readonly current: MethodInfo;
}

/** Filled in when the dialog opens; snapshots that come meanwhile leave it alone. */
function MethodForm({ run, current }: MethodFormProps) {
  const methods = useStore(store, (state) => state.methods);
  const sending = useStore(store, (state) => state.methodDialog.state === 'sending');
  const [{ method, entries }, setForm] = useState(() => ({ method: current, entries: firstEntries(current, run) }));
  const request = requestOf(method, entries);
  const choose = (name: string): void => {
    const chosen = methods.find((one) => one.name === name);
    if (chosen !== undefined) setForm({ method: chosen, entries: entriesFor(chosen, run, entries) });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (request !== null) actions.changeMethod(request);
  };
  return (
    <form className="method-form" onSubmit={submit} noValidate>
      <MethodPicker methods={methods} value={method.name} onValue={choose} />
      <div>
        <Text as="p" size="2">
          {method.summary}
        </Text>
        <PaperLine paper={method.paper} />
      </div>
      <MethodFields
        fields={fieldsOf(method)}
        entries={entries}
        onEntry={(field, text) => setForm({ method, entries: { ...entries, [field]: text } })}
      />
      <Refusal />
      <div className="dialog-buttons">
        <Dialog.Close>
          <Button type="button" variant="soft" color="gray" disabled={sending}>
            Cancel
          </Button>
        </Dialog.Close>
        <Button type="submit" loading={sending} disabled={request === null}>
          Change the method
        </Button>
      </div>
    </form>
  );
}

interface PickerProps {
  readonly methods: readonly MethodInfo[];
  readonly value: string;
  readonly onValue: (name: string) => void;
}

function MethodPicker({ methods, value, onValue }: PickerProps) {
  return (
    <Select.Root value={value} onValueChange={onValue}>
      <Select.Trigger aria-label="Method" />
      <Select.Content position="popper">
        {methods.map(({ name, title }) => (
          <Select.Item key={name} value={name}>
            {title} ({name})
          </Select.Item>
        ))}
      </Select.Content>
    </Select.Root>
  );
}

/** Why the coordinator did not take it, in its own words. */
function Refusal() {
  const message = useStore(store, ({ methodDialog }) =>
    methodDialog.state === 'editing' ? methodDialog.message : null,
  );
  if (message === null) return null;
  return (
    <Callout.Root color="red" role="alert" size="1">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <Callout.Text>{message}</Callout.Text>
    </Callout.Root>
  );
}
