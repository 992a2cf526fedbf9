// Asks for the admin token, and says why one was not taken.

import { Button, Callout, Card, Code, Heading, Text, TextField } from '@radix-ui/themes';
import { useState, type FormEvent } from 'react';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { actions, store } from './model.ts';

export function SignIn() {
  const access = useStore(store, (state) => state.access);
  const [text, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    actions.signIn(text);
  };
  return (
    <Card size="4" className="sign-in" asChild>
      <section aria-labelledby="sign-in-title">
        <Heading as="h1" size="6" id="sign-in-title">
          Operator’s dashboard
        </Heading>
        <Text as="p" color="gray" mt="2">
          The coordinator prints an admin token when it starts. Open the address it prints, which ends in{' '}
          <Code>#token=…</Code>, or paste the token here.
        </Text>
        <form onSubmit={submit}>
          <label htmlFor="token">
            <Text size="2" weight="medium">
              Admin token
            </Text>
          </label>
          <TextField.Root
            id="token"
            size="3"
            type="password"
            value={text}
            autoComplete="off"
            spellCheck={false}
            aria-invalid={access.state === 'refused'}
            onChange={(event) => setText(event.target.value)}
          />
          <Button size="3" type="submit" loading={access.state === 'checking'} disabled={text.trim() === ''}>
            Open the dashboard
          </Button>
        </form>
        {access.state === 'refused' && (
          <Callout.Root color="red" role="alert" mt="4">
            <Callout.Icon>
              <Icon name="warning" />
            </Callout.Icon>
            <Callout.Text>{access.message}</Callout.Text>
          </Callout.Root>
        )}
      </section>
    </Card>
  );
}
