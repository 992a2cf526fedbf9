// Which run this is, its state, what it trains with, and the operator's commands.

import { AlertDialog, Badge, Button, Callout, Heading, Select } from '@radix-ui/themes';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { count, significant } from '../page/format.ts';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { datasetTitle, modelTitle, statusTitle } from '../page/words.ts';
import { HealthLine } from './health.tsx';
import { actions, store } from './model.ts';
import { commandsFor } from './state.ts';

export function RunHeader() {
  const run = useStore(store, (state) => state.run);
  const methods = useStore(store, (state) => state.methods);
  if (run === null) return null;
  const method = methods.find((one) => one.name === run.method)?.title ?? run.method;
  const facts: readonly [string, string][] = [
    ['Method', method],
    ['Model', `${modelTitle(run.model)}, ${count(run.parameters)} parameters`],
    ['Data set', datasetTitle(run.dataset)],
    ['Learning rate', significant(run.learningRate)],
  ];
  return (
    <section className="run-header" aria-labelledby="run-name">
      <div className="run-title">
        <Heading as="h1" size="6" id="run-name">
          {run.name}
        </Heading>
        <Badge size="2" color={run.status === 'running' ? 'teal' : run.status === 'paused' ? 'amber' : 'gray'}>
          <span role="status">{statusTitle(run.status)}</span>
        </Badge>
        {run.rollbacks > 0 && (
          <Badge size="2" color="amber" variant="surface">
            Rolled back {run.rollbacks === 1 ? 'once' : `${count(run.rollbacks)} times`}
          </Badge>
        )}
        <RunPicker current={run.id} />
        <Commands run={run} />
      </div>
      <dl className="run-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <HealthLine />
      <CommandFailure />
    </section>
  );
}

function RunPicker({ current }: { current: string }) {
  const runs = useStore(store, (state) => state.runs);
  if (runs === null || runs.length < 2) return null;
  return (
    <Select.Root value={current} onValueChange={actions.chooseRun}>
      <Select.Trigger variant="soft" color="gray" aria-label="Change the run">
        {`${runs.length} runs`}
      </Select.Trigger>
      <Select.Content position="popper">
        {runs.map((run) => (
          <Select.Item key={run.id} value={run.id}>
            {run.name} ({run.id}, {statusTitle(run.status).toLowerCase()})
          </Select.Item>
        ))}
      </Select.Content>
    </Select.Root>
  );
}

function Commands({ run }: { run: RunSummary }) {
  const sending = useStore(store, (state) => (state.command.state === 'sending' ? state.command.command : null));
  const lost = useStore(store, (state) => state.link === 'lost');
  const possible = commandsFor(run);
  const href = `/api/runs/${encodeURIComponent(run.id)}/model.safetensors`;
  return (
    <div className="commands">
      {possible.includes('pause') && (
        <Button variant="soft" disabled={lost} loading={sending === 'pause'} onClick={() => actions.command('pause')}>
          <Icon name="pause" /> Pause
        </Button>
      )}
      {possible.includes('resume') && (
        <Button disabled={lost} loading={sending === 'resume'} onClick={() => actions.command('resume')}>
          <Icon name="play" /> Resume
        </Button>
      )}
      {possible.includes('stop') && <StopDialog name={run.name} lost={lost} sending={sending === 'stop'} />}
      <Button variant="surface" color="gray" asChild>
        <a href={href} download={`${run.id}.safetensors`} aria-label="Download the model">
          <Icon name="download" /> Model
        </a>
      </Button>
    </div>
  );
}

function StopDialog({ name, lost, sending }: { name: string; lost: boolean; sending: boolean }) {
  return (
    <AlertDialog.Root>
      <AlertDialog.Trigger>
        <Button variant="surface" color="gray" disabled={lost} loading={sending}>
          <Icon name="stop" /> Stop
        </Button>
      </AlertDialog.Trigger>
      <AlertDialog.Content maxWidth="440px">
        <AlertDialog.Title size="5">Stop “{name}”?</AlertDialog.Title>
        <AlertDialog.Description size="3">
          The volunteers are sent away and no more updates are made. The model stays and can be downloaded. A stopped
          run does not start again: to interrupt it, pause it.
        </AlertDialog.Description>
        <div className="dialog-buttons">
          <AlertDialog.Cancel>
            <Button variant="soft" color="gray">
              Keep it going
            </Button>
          </AlertDialog.Cancel>
          <AlertDialog.Action>
            <Button color="red" onClick={() => actions.command('stop')}>
              Stop the run
            </Button>
          </AlertDialog.Action>
        </div>
      </AlertDialog.Content>
    </AlertDialog.Root>
  );
}

function CommandFailure() {
  const command = useStore(store, (state) => state.command);
  if (command.state !== 'failed') return null;
  return (
    <Callout.Root color="red" role="alert" size="1">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <Callout.Text>{command.message}</Callout.Text>
    </Callout.Root>
  );
}
