// What a run under fire is held to, and how it is told.

import type { NoteRow } from '../../shared/protocol/snapshots.ts';
import type { Outcome } from './scene.ts';

/** Points of accuracy that a run under fire may end below a calm one. */
const POINTS_MAX = 2;
const SERVE_MS_MAX = 5_000;

export interface Fire {
  readonly kills: { readonly worker: number; readonly coordinator: number };
  /** From a start of the coordinator to its first answer, after the first. */
  readonly startsMs: readonly number[];
  readonly accidents: readonly string[];
  readonly bans: readonly NoteRow[];
  readonly seconds: number;
}

export interface Claim {
  readonly claim: string;
  readonly found: string;
  readonly holds: boolean;
}

const percent = (part: number | null): string => (part === null ? 'not measured' : `${(100 * part).toFixed(2)} %`);

/** Every claim with what was found; a figure that is missing holds nothing. */
export function verdict(calm: Outcome, under: Outcome, fire: Fire): Claim[] {
  const { samplesPerEpoch, epochs, status } = under.run;
  const exact = under.ledger.filter(({ counted, leased }) => counted === samplesPerEpoch && leased === 0).length;
  const [before, after] = [calm.run.accuracy, under.run.accuracy];
  const behind = before === null || after === null ? null : 100 * (before - after);
  const slowest = Math.max(0, ...fire.startsMs);
  return [
    { claim: 'The run ends', found: status, holds: status === 'finished' },
    {
      claim: 'Every epoch’s samples are counted once',
      found: `${exact} of ${epochs} epochs of ${samplesPerEpoch} samples`,
      holds: exact === epochs && under.ledger.length === epochs,
    },
    {
      claim: `Validation accuracy within ${POINTS_MAX} points of the calm run`,
      found: `${percent(after)}, calm ${percent(before)}`,
      holds: behind !== null && behind <= POINTS_MAX,
    },
    {
      claim: 'No process ends by itself: no unhandled rejection, no exception',
      found: fire.accidents.length === 0 ? 'none' : fire.accidents.join('; '),
      holds: fire.accidents.length === 0,
    },
    {
      claim: 'No worker is banned: all are honest',
      found: fire.bans.length === 0 ? 'none' : fire.bans.map(({ worker, text }) => `${worker}: ${text}`).join('; '),
      holds: fire.bans.length === 0,
    },
    {
      claim: `Serving again within ${SERVE_MS_MAX / 1000} s of every start`,
      found: fire.startsMs.length === 0 ? 'never killed' : `${(slowest / 1000).toFixed(1)} s at the most`,
      holds: fire.startsMs.length > 0 && slowest <= SERVE_MS_MAX,
    },
    {
      claim: 'Something was killed',
      found: `${fire.kills.worker} workers, ${fire.kills.coordinator} times the coordinator, in ${Math.round(fire.seconds)} s`,
      holds: fire.kills.worker > 0 && fire.kills.coordinator > 0,
    },
  ];
}

/** A Markdown table of the claims, and what was refused. */
export function report(claims: readonly Claim[], { run, workers }: Outcome): string {
  const refused: Record<string, number> = {};
  for (const worker of workers) {
    for (const [reason, count] of Object.entries(worker.refused)) refused[reason] = (refused[reason] ?? 0) + count;
  }
  const reasons = Object.entries(refused).map(([reason, count]) => `${reason} ${count}`);
  return [
    '| claim | found | holds |',
    '| --- | --- | --- |',
    ...claims.map(({ claim, found, holds }) => `| ${claim} | ${found.replaceAll('|', '/').replaceAll('\n', ' ')} | ${holds ? 'yes' : '**no**'} |`), // prettier-ignore
    '',
    `${run.version} updates; ${workers.length} workers seen; refused pushes: ${reasons.join(', ') || 'none'}; roll-backs: ${run.rollbacks}.`,
  ].join('\n');
}
