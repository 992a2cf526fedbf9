// While contributing and after: the state, what this machine is and gave, and how to pause or stop.

import { Badge, Button, Callout, Card, Heading, Spinner, Text } from '@radix-ui/themes';
import type { VolunteerPhase, VolunteerView } from '../worker/bridge.ts';
import { count, loss, milliseconds, significant } from '../page/format.ts';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { deviceWords } from './device.ts';
import { Figure, Figures } from '../page/figures.tsx';
import { actions, savedCode, savedNickname, store } from './model.ts';
import { phaseWords, thanks } from './phases.ts';
import { isOpen, isOver } from './state.ts';

const TONES: Record<VolunteerPhase, 'teal' | 'amber' | 'red' | 'gray'> = {
  checking: 'gray',
  connecting: 'gray',
  training: 'teal',
  waiting: 'gray',
  paused: 'amber',
  reconnecting: 'amber',
  finished: 'teal',
  stopped: 'gray',
  failed: 'red',
};
const BUSY: readonly VolunteerPhase[] = ['checking', 'connecting', 'reconnecting'];

export function ContributionCard() {
  const view = useStore(store, (state) => state.view);
  if (view === null) return null;
  return (
    <Card size="3" asChild>
      <section aria-labelledby="contribution-title">
        <div className="card-head">
          <Heading as="h2" size="5" id="contribution-title">
            Your contribution
          </Heading>
          <Badge size="2" color={TONES[view.phase]}>
            <Spinner loading={BUSY.includes(view.phase)} size="1" />
            {phaseWords(view).short}
          </Badge>
        </div>
        {view.phase === 'failed' && <Failure message={phaseWords(view).detail} />}
        {(view.steps > 0 || !isOver(view)) && <Numbers view={view} />}
        <DeviceLine view={view} />
        <Controls view={view} />
      </section>
    </Card>
  );
}

function Numbers({ view }: { view: VolunteerView }) {
  return (
    <Figures>
      <Figure label="Steps computed" value={count(view.steps)} large />
      <Figure label="Samples counted" value={count(view.samples)} large />
      <Figure label="Step time" value={milliseconds(view.stepMs)} />
      <Figure label="Loss of your last step" value={loss(view.loss)} />
      <Figure label="Lag" value={count(view.lag)} hint="Updates by others while your last step was computed" />
      <Figure
        label="Gap"
        value={significant(view.gap)}
        hint="How far the parameters moved meanwhile (root mean square)"
      />
      {view.rejected > 0 && <Figure label="Steps refused" value={count(view.rejected)} />}
    </Figures>
  );
}

function Failure({ message }: { message: string }) {
  return (
    <Callout.Root color="red" mt="3" role="alert">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <Callout.Text>{message}</Callout.Text>
    </Callout.Root>
  );
}

function DeviceLine({ view }: { view: VolunteerView }) {
  if (view.device === null) return null;
  const words = deviceWords(view.device);
  return (
    <div className="device">
      <Icon name="chip" />
      <div>
        <Text as="p" size="2">
          <strong>{words.backend}</strong> {words.adapter}
        </Text>
        {words.note !== null && (
          <Text as="p" size="2" color="amber">
            {words.note}
          </Text>
        )}
        {words.passedOver.length > 0 && (
          <details>
            <summary>Why nothing faster</summary>
            <ul>
              {words.passedOver.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

/** Who was refused at the door has a code to correct, or an id to send. */
function Again({ failed, byInvitation }: { failed: boolean; byInvitation: boolean }) {
  if (failed && byInvitation) {
    return (
      <Button size="3" onClick={actions.reconsider}>
        Back to the invitation
      </Button>
    );
  }
  return (
    <Button size="3" onClick={() => actions.contribute(savedNickname(), savedCode())}>
      <Icon name="play" /> {failed ? 'Try again' : 'Contribute again'}
    </Button>
  );
}

function Controls({ view }: { view: VolunteerView }) {
  const run = useStore(store, (state) => state.run);
  if (isOver(view)) {
    const again = run !== null && isOpen(run);
    return (
      <div className="controls">
        {view.steps > 0 && (
          <Text as="p" size="3">
            {thanks(view)}
          </Text>
        )}
        {again && <Again failed={view.phase === 'failed'} byInvitation={run.admission !== 'open'} />}
      </div>
    );
  }
  return (
    <div className="controls">
      {view.phase === 'paused' ? (
        <Button size="3" onClick={actions.resume}>
          <Icon name="play" /> Resume
        </Button>
      ) : (
        <Button size="3" variant="soft" onClick={actions.pause}>
          <Icon name="pause" /> Pause
        </Button>
      )}
      <Button size="3" variant="surface" color="gray" onClick={actions.stop}>
        <Icon name="stop" /> Stop
      </Button>
    </div>
  );
}
