// The workers of the run: a table that is sorted by any column, or how to bring the first.

import { Card, Heading, Table, Text } from '@radix-ui/themes';
import { useMemo, useState } from 'react';
import { count, counted } from '../page/format.ts';
import { useStore } from '../page/store.ts';
import { Invite } from './invite.tsx';
import { store } from './model.ts';
import { VerdictDialog } from './verdict-dialog.tsx';
import { nextOrder, sortRows, type Order, type SortColumn } from './sort.ts';
import { WorkerLine } from './worker-line.tsx';

const COLUMNS: readonly { readonly column: SortColumn; readonly label: string; readonly detail?: string }[] = [
  { column: 'name', label: 'Worker' },
  { column: 'backend', label: 'Backend' },
  { column: 'state', label: 'State' },
  { column: 'standing', label: 'Standing' },
  { column: 'cosine', label: 'Cosine', detail: 'with held-out' },
  { column: 'influence', label: 'Influence', detail: 'of a share' },
  { column: 'checks', label: 'Checks', detail: 'made · failed' },
  { column: 'clipped', label: 'Clipped' },
  { column: 'rate', label: 'Samples/s' },
  { column: 'lag', label: 'Lag', detail: 'last · mean · max' },
  { column: 'gap', label: 'Gap', detail: 'last · mean' },
  { column: 'loss', label: 'Loss' },
  { column: 'pushes', label: 'Pushes' },
  { column: 'refused', label: 'Refused' },
  { column: 'leases', label: 'Leases' },
  { column: 'bytesIn', label: 'In' },
  { column: 'bytesOut', label: 'Out' },
];

export function Workers() {
  const some = useStore(store, (state) => state.workers.length > 0);
  return (
    <section aria-labelledby="workers-title">
      <div className="section-head">
        <Heading as="h2" size="4" id="workers-title">
          Workers
        </Heading>
        <LeaseLine />
      </div>
      {some ? (
        <WorkerTable />
      ) : (
        <Card size="3">
          <Invite />
        </Card>
      )}
      <VerdictDialog />
      {some && (
        <details className="invite-more">
          <summary>Bring more volunteers</summary>
          <Invite />
        </details>
      )}
    </section>
  );
}

function LeaseLine() {
  const leases = useStore(store, (state) => state.leases);
  if (leases === null) return null;
  return (
    <Text size="2" color="gray">
      {counted(leases.outstanding, 'lease')} out, {count(leases.expired)} expired, {count(leases.reissued)} issued again
    </Text>
  );
}

function WorkerTable() {
  const workers = useStore(store, (state) => state.workers);
  const [order, setOrder] = useState<Order>({ column: 'name', descending: false });
  const rows = useMemo(() => sortRows(workers, order), [workers, order]);
  return (
    <div className="worker-table">
      <Table.Root size="1" variant="surface" layout="auto">
        <Table.Header>
          <Table.Row>
            {COLUMNS.map((one) => (
              <SortHeader
                key={one.column}
                {...one}
                order={order}
                onSort={() => setOrder(nextOrder(order, one.column))}
              />
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row) => (
            <WorkerLine key={row.id} row={row} />
          ))}
        </Table.Body>
      </Table.Root>
    </div>
  );
}

interface SortHeaderProps {
  readonly column: SortColumn;
  readonly label: string;
  readonly detail?: string;
  readonly order: Order;
  readonly onSort: () => void;
}

function SortHeader({ column, label, detail, order, onSort }: SortHeaderProps) {
  const sorted = order.column === column;
  const direction = order.descending ? 'descending' : 'ascending';
  return (
    <Table.ColumnHeaderCell aria-sort={sorted ? direction : 'none'} className={`col-${column}`}>
      <button type="button" className="sort" onClick={onSort}>
        {label}
        {sorted && (
          <span className="arrow" aria-hidden="true">
            {order.descending ? '↓' : '↑'}
          </span>
        )}
        {detail !== undefined && <small>{detail}</small>}
      </button>
    </Table.ColumnHeaderCell>
  );
}
