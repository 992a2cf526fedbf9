// A named number, and a grid of them: a description list, so that a screen reader reads name and value together.

import { Tooltip } from '@radix-ui/themes';
import type { ReactNode } from 'react';
import { UNKNOWN } from './format.ts';

export function Figures({ children }: { children: ReactNode }) {
  return <dl className="figures">{children}</dl>;
}

interface FigureProps {
  readonly label: string;
  readonly value: string;
  /** Beside the value, smaller. */
  readonly unit?: string;
  /** What the label means, on hover and focus. */
  readonly hint?: string;
  readonly large?: boolean;
  readonly children?: ReactNode;
}

export function Figure({ label, value, unit, hint, large = false, children }: FigureProps) {
  return (
    <div className={large ? 'figure large' : 'figure'}>
      <dt>{hint === undefined ? label : <Hint text={hint}>{label}</Hint>}</dt>
      <dd>
        {value === UNKNOWN ? <span title="not known yet">{value}</span> : value}
        {unit !== undefined && <small> {unit}</small>}
        {children}
      </dd>
    </div>
  );
}

/** A term that explains itself when pointed at or focused. */
export function Hint({ text, children }: { text: string; children: ReactNode }) {
  return (
    <Tooltip content={text}>
      <button type="button" className="hint">
        {children}
      </button>
    </Tooltip>
  );
}
