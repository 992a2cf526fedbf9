// What happened to the run, newest first: of all kinds or some, and as far back as the records go.

import { Button, Card, Heading, Select, Text } from '@radix-ui/themes';
import { memo, useEffect, useState } from 'react';
import type { NoteKind, NoteRow } from '../../shared/protocol/snapshots.ts';
import { Icon, type IconName } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { actions, store } from './model.ts';
import { agoText, groupTitle, kindTitle, NOTE_GROUPS, shownNotes, type NoteGroup, type Notes } from './notes.ts';
import { workerAnchor, workerName } from './sort.ts';

const ICONS: Record<NoteKind, IconName> = {
  run: 'play',
  method: 'chip',
  measured: 'chart',
  joined: 'people',
  left: 'leave',
  refused: 'lock',
  banned: 'ban',
  unbanned: 'people',
  'rolled-back': 'back',
  operator: 'person',
  trouble: 'warning',
  mended: 'check',
};
const TONES: Partial<Record<NoteKind, 'bad' | 'odd' | 'good'>> = {
  trouble: 'bad',
  banned: 'bad',
  'rolled-back': 'odd',
  refused: 'odd',
  mended: 'good',
};
const NOW_EVERY_MS = 5000;

export function Events() {
  const notes = useStore(store, (state) => state.notes);
  const shown = shownNotes(notes);
  const nowMs = useNow();
  return (
    <section aria-labelledby="events-title">
      <div className="section-head">
        <Heading as="h2" size="4" id="events-title">
          Events
        </Heading>
        <GroupPicker group={notes.group} />
      </div>
      <Card size="1" className="events">
        {shown.length === 0 && <Nothing notes={notes} />}
        <ol tabIndex={0} aria-labelledby="events-title">
          {shown.map((note) => (
            <Event key={note.id} note={note} ago={agoText(note.at, nowMs)} />
          ))}
        </ol>
        <Older notes={notes} />
      </Card>
    </section>
  );
}

/** The time, every few seconds. */
function useNow(): number {
  const [nowMs, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), NOW_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

function GroupPicker({ group }: { group: NoteGroup }) {
  return (
    <Select.Root size="1" value={group} onValueChange={(value) => actions.chooseNotes(value as NoteGroup)}>
      <Select.Trigger variant="soft" color="gray" aria-label="Kinds of events" />
      <Select.Content position="popper">
        {NOTE_GROUPS.map((one) => (
          <Select.Item key={one} value={one}>
            {groupTitle(one)}
          </Select.Item>
        ))}
      </Select.Content>
    </Select.Root>
  );
}

const Event = memo(function Event({ note, ago }: { note: NoteRow; ago: string }) {
  return (
    <li className={TONES[note.kind]}>
      <Icon name={ICONS[note.kind]} />
      <span className="kind">{kindTitle(note.kind)}</span>
      <span className="text">
        {note.text}
        {note.worker !== null && <WorkerLink worker={note.worker} text={note.text} />}
      </span>
      <time dateTime={note.at} title={new Date(note.at).toLocaleString()}>
        {ago}
      </time>
    </li>
  );
});

/** To its row in the table, while it has one; nothing where the text begins with its name. */
function WorkerLink({ worker, text }: { worker: string; text: string }) {
  const name = useStore(store, ({ workers }) => {
    const row = workers.find(({ id }) => id === worker);
    return row === undefined ? null : workerName(row);
  });
  if (name !== null && text.startsWith(`${name} `)) return null;
  return <> {name === null ? <small>{worker}</small> : <a href={`#${workerAnchor(worker)}`}>{name}</a>}</>;
}

function Nothing({ notes: { group, more } }: { notes: Notes }) {
  if (more === 'loading') return null;
  return (
    <Text as="p" size="2" color="gray" className="no-events">
      {group === 'everything' ? 'Nothing has happened yet.' : 'Nothing of this kind among the latest.'}
    </Text>
  );
}

function Older({ notes: { more } }: { notes: Notes }) {
  if (more === 'none') return null;
  return (
    <div className="older">
      <Button size="1" variant="ghost" color="gray" loading={more === 'loading'} onClick={actions.olderNotes}>
        Older events
      </Button>
      {more === 'failed' && (
        <Text as="span" size="1" color="red" role="alert">
          The records cannot be read now.
        </Text>
      )}
    </div>
  );
}
