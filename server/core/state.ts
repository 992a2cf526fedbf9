// What a method remembers, as plain data: a tree of named vectors and numbers. Because nothing is hidden in a closure,
// a run's whole state can be copied out, written down, and put back.

import type { Vec } from '../../shared/vec.ts';

export type State = { [name: string]: Vec | number | State };

/** A deep copy that shares nothing. */
export function cloneState(state: State): State {
  const copy: State = {};
  for (const [name, value] of Object.entries(state)) {
    copy[name] = typeof value === 'number' ? value : value instanceof Float32Array ? value.slice() : cloneState(value);
  }
  return copy;
}

/** Makes `live` equal to `saved` in place: stages keep their references to the tree and to its vectors. */
export function restoreState(live: State, saved: State): void {
  for (const name of Object.keys(live)) if (!(name in saved)) delete live[name];
  for (const [name, value] of Object.entries(saved)) {
    const current = live[name];
    if (typeof value === 'number') live[name] = value;
    else if (value instanceof Float32Array) {
      if (current instanceof Float32Array && current.length === value.length) current.set(value);
      else live[name] = value.slice();
    } else {
      const branch: State = typeof current === 'object' && !(current instanceof Float32Array) ? current : {};
      live[name] = branch;
      restoreState(branch, value);
    }
  }
}
