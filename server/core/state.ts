// What a method remembers, as plain data: a tree of named vectors and numbers. Because nothing is hidden in a closure,
// a run's whole state can be copied out, written down, and put back.

import { isVec, type Vec } from '../../shared/precision.ts';

export type State = { [name: string]: Vec | number | State };

/** A table by worker for a stage's state. Without a prototype: a worker may be called `constructor` or `__proto__`. */
export const byWorker = <T>(): { [worker: string]: T } => Object.create(null) as { [worker: string]: T };

/** A deep copy that shares nothing. */
export function cloneState(state: State): State {
  const copy: State = byWorker();
  for (const [name, value] of Object.entries(state)) {
    copy[name] = typeof value === 'number' ? value : isVec(value) ? value.slice() : cloneState(value);
  }
  return copy;
}

/** Of all its vectors. */
export function elementsOf(state: State): number {
  return Object.values(state).reduce<number>((sum, value) => {
    if (typeof value === 'number') return sum;
    return sum + (isVec(value) ? value.length : elementsOf(value));
  }, 0);
}

/** Makes `live` equal to `saved` in place: stages keep their references to the tree and to its vectors. */
export function restoreState(live: State, saved: State): void {
  for (const name of Object.keys(live)) if (!Object.hasOwn(saved, name)) delete live[name];
  for (const [name, value] of Object.entries(saved)) {
    const current = Object.hasOwn(live, name) ? live[name] : undefined;
    if (typeof value === 'number') live[name] = value;
    else if (isVec(value)) {
      if (isVec(current) && current.length === value.length) current.set(value);
      else live[name] = value.slice();
    } else {
      const branch: State = typeof current === 'object' && !isVec(current) ? current : byWorker();
      live[name] = branch;
      restoreState(branch, value);
    }
  }
}

/** Puts what one stage remembered into another, if that remembers the same things. */
export function adopt(into: State, from: State): void {
  const names = Object.keys(into);
  const same = names.length === Object.keys(from).length && names.every((name) => Object.hasOwn(from, name));
  if (same) restoreState(into, from);
}

/**
 * Whether `saved` may be put into `fresh`, the state of the same stages as they begin: the same names and kinds, and vectors
 * of the same lengths. What begins as an empty table may hold anything that fits θ of `dim` elements. Returns what is
 * wrong with it, or null.
 */
export function misfit(fresh: State, saved: State, dim: number, at = 'state'): string | null {
  const table = Object.keys(fresh).length === 0;
  const missing = Object.keys(fresh).find((name) => !Object.hasOwn(saved, name));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  for (const [name, value] of Object.entries(saved)) {
    const wanted = Object.hasOwn(fresh, name) ? fresh[name] : undefined;
    const where = `${at}.${name}`;
    if (wanted === undefined && !table) return `${where} is not known`;
    if (typeof value === 'number') {
      if (wanted !== undefined && typeof wanted !== 'number') return `${where} is a number, expected ${kind(wanted)}`;
    } else if (isVec(value)) {
      const length = isVec(wanted) ? wanted.length : wanted === undefined ? dim : -1;
      if (value.length !== length)
        return `${where} is ${kind(value)}, expected ${wanted === undefined ? `a vector of ${dim}` : kind(wanted)}`;
    } else {
      if (typeof wanted === 'number' || isVec(wanted)) return `${where} is a table, expected ${kind(wanted)}`;
      const wrong = misfit(wanted ?? {}, value, dim, where);
      if (wrong !== null) return wrong;
    }
  }
  return null;
}

function kind(value: State[string]): string {
  if (isVec(value)) return `a vector of ${value.length}`;
  return typeof value === 'number' ? 'a number' : 'a table';
}
