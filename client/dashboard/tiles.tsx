// The run in eight numbers.

import { Card, Progress } from '@radix-ui/themes';
import type { ReactNode } from 'react';
import type { RunSummary } from '../../shared/protocol/snapshots.ts';
import { count, loss, percent, rate } from '../page/format.ts';
import { useStore } from '../page/store.ts';
import { epochText, progressOf } from '../page/words.ts';
import { store } from './model.ts';

export function Tiles() {
  const run = useStore(store, (state) => state.run);
  if (run === null) return null;
  return (
    <dl className="tiles" aria-label="Key figures">
      <AccuracyTile run={run} />
      <Tile label="Validation loss" value={loss(run.loss.validation)} />
      <Tile label="Training loss" value={loss(run.loss.train)} />
      <ProgressTile run={run} />
      <Tile label="Version" value={count(run.version)} note="updates" />
      <Tile label="Updates/s" value={rate(run.updatesPerSecond)} />
      <Tile label="Samples/s" value={count(run.samplesPerSecond)} />
      <Tile label="Workers" value={count(run.workers)} note="connected now" />
    </dl>
  );
}

function AccuracyTile({ run }: { run: RunSummary }) {
  const test = run.test === null ? {} : { note: `test set ${percent(run.test.accuracy, 2)}` };
  return <Tile label="Validation accuracy" value={percent(run.accuracy, 2)} {...test} main />;
}

function ProgressTile({ run }: { run: RunSummary }) {
  const total = run.samplesPerEpoch * run.epochs;
  return (
    <Tile
      label={epochText(run)}
      value={percent(progressOf(run))}
      note={`${count(run.samples)} of ${count(total)} samples`}
    >
      <Progress size="1" value={progressOf(run) * 100} aria-label="Progress of the run" />
    </Tile>
  );
}

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note?: string;
  readonly main?: boolean;
  readonly children?: ReactNode;
}

function Tile({ label, value, note, main = false, children }: TileProps) {
  return (
    <Card size="1" className={main ? 'tile main' : 'tile'}>
      <dt>{label}</dt>
      <dd>
        <span className="number">{value}</span>
        {children}
        {note !== undefined && <span className="note">{note}</span>}
      </dd>
    </Card>
  );
}
