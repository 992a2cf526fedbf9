// One worker's row. Drawn again only when the row has changed.

import { Badge, Table } from '@radix-ui/themes';
import { memo } from 'react';
import type { WorkerRow, WorkerState } from '../../shared/protocol/snapshots.ts';
import { bytes, count, loss, rate, significant } from '../page/format.ts';
import { backendTitle, workerStateTitle } from '../page/words.ts';
import { Noted } from './noted.tsx';
import { refusedLines, refusedTotal, workerAnchor, workerName } from './sort.ts';
import { StandingCells } from './standing-cells.tsx';

const TONES: Record<WorkerState, 'teal' | 'amber' | 'gray'> = {
  training: 'teal',
  paused: 'amber',
  waiting: 'gray',
  hidden: 'gray',
  asleep: 'amber',
  gone: 'gray',
};

export const WorkerLine = memo(function WorkerLine({ row }: { row: WorkerRow }) {
  const lag = [count(row.lag.last), rate(row.lag.mean), count(row.lag.max)];
  return (
    <Table.Row id={workerAnchor(row.id)} className={row.state === 'gone' ? 'gone' : ''}>
      <Table.RowHeaderCell className="col-name">
        <span className="name">{workerName(row)}</span>
        {row.name !== '' && <small>{row.id}</small>}
      </Table.RowHeaderCell>
      <Table.Cell className="col-backend">
        <BackendCell row={row} />
      </Table.Cell>
      <Table.Cell>
        <Badge size="1" color={TONES[row.state]}>
          {workerStateTitle(row.state)}
        </Badge>
      </Table.Cell>
      <StandingCells row={row} />
      <Table.Cell>{rate(row.samplesPerSecond)}</Table.Cell>
      <Table.Cell>{lag.join(' · ')}</Table.Cell>
      <Table.Cell>
        {significant(row.gap.last)} · {significant(row.gap.mean)}
      </Table.Cell>
      <Table.Cell>{loss(row.loss)}</Table.Cell>
      <Table.Cell>{count(row.pushes)}</Table.Cell>
      <Table.Cell>
        <RefusedCell row={row} />
      </Table.Cell>
      <Table.Cell>{count(row.leases)}</Table.Cell>
      <Table.Cell>{bytes(row.bytesIn)}</Table.Cell>
      <Table.Cell>{bytes(row.bytesOut)}</Table.Cell>
    </Table.Row>
  );
});

/** The backend, the adapter's name, and on hover or focus why it is not a faster one. */
function BackendCell({ row }: { row: WorkerRow }) {
  const notes = [
    ...(row.fallback ? ['A software implementation of a GPU'] : []),
    ...row.tried.map((one) => `${backendTitle(one.backend)} passed over: ${one.reason}`),
  ];
  const badge = (
    <Badge size="1" color={row.fallback ? 'amber' : 'gray'} variant="surface">
      {backendTitle(row.backend)}
      {row.fallback && ' (software)'}
    </Badge>
  );
  return (
    <>
      {notes.length === 0 ? badge : <Noted notes={notes}>{badge}</Noted>}
      <small className="adapter">{row.adapter}</small>
    </>
  );
}

function RefusedCell({ row }: { row: WorkerRow }) {
  const total = refusedTotal(row);
  return total === 0 ? '0' : <Noted notes={refusedLines(row)}>{count(total)}</Noted>;
}
