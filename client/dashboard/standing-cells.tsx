// How far a worker is trusted: the part of its row that an operator judges it by, and the way to ban it.

import { Badge, Button, Table } from '@radix-ui/themes';
import type { Standing, WorkerRow } from '../../shared/protocol/snapshots.ts';
import { count } from '../page/format.ts';
import { Icon } from '../page/icons.tsx';
import { actions } from './model.ts';
import { Noted } from './noted.tsx';
import { workerName } from './sort.ts';
import { checksText, cosineText, influenceText, isSuspect, levelTitle, standingLines } from './standing.ts';

const TONES: Record<Standing['level'], 'gray' | 'teal' | 'red'> = { newcomer: 'gray', trusted: 'teal', banned: 'red' };

export function StandingCells({ row }: { row: WorkerRow }) {
  const { standing } = row;
  return (
    <>
      <Table.Cell className="col-standing">
        <div className="standing">
          <Noted notes={standingLines(row)}>
            <Badge size="1" color={TONES[standing.level]}>
              {standing.keyed && <Icon name="key" />}
              {levelTitle(standing.level)}
            </Badge>
          </Noted>
          <VerdictButton row={row} />
        </div>
        {standing.banned !== null && <small className="reason">{standing.banned}</small>}
      </Table.Cell>
      <Table.Cell>{cosineText(standing.cosine)}</Table.Cell>
      <Table.Cell>{influenceText(standing.influence)}</Table.Cell>
      <Table.Cell className={isSuspect(standing) && standing.failed > 0 ? 'suspect' : ''}>
        {checksText(standing)}
      </Table.Cell>
      <Table.Cell>{count(standing.clipped)}</Table.Cell>
    </>
  );
}

function VerdictButton({ row }: { row: WorkerRow }) {
  const banned = row.standing.level === 'banned';
  const verdict = banned ? 'unban' : 'ban';
  return (
    <Button
      size="1"
      variant="ghost"
      color="gray"
      aria-label={banned ? `Let ${workerName(row)} back in` : `Ban ${workerName(row)}`}
      onClick={() => actions.askVerdict(verdict, row.id)}
    >
      {banned ? 'Unban…' : 'Ban…'}
    </Button>
  );
}
