// Values as JSON text, and back to the same bits: JSON alone has no NaN, no infinity and no negative zero. Vectors stay
// outside the text, which names them. Any name is a property like another, `__proto__` too: objects are made from entries.

import type { Vec } from '../../shared/vec.ts';

/** Stands before a name that is no property's: `$number`, `$vector`. A property's own leading `$` is doubled. */
const MARK = '$';
const NUMBERS: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity, '-0': -0 };

/** Where a vector lies outside the text: names of its pieces, in order. */
export type Place = readonly string[];

/**
 * JSON of a value made of null, booleans, numbers, strings, arrays, plain objects and vectors. `place` says where the
 * vector at that path is put. A property that is undefined is left out. Throws for what is none of these: our own error.
 */
export function toText(value: unknown, place: (path: readonly string[], vector: Vec) => Place): string {
  const plain = (part: unknown, path: readonly string[]): unknown => {
    if (part === null || typeof part === 'boolean' || typeof part === 'string') return part;
    if (typeof part === 'number') {
      if (Number.isFinite(part) && !Object.is(part, -0)) return part;
      return { [`${MARK}number`]: Object.is(part, -0) ? '-0' : String(part) };
    }
    if (part instanceof Float32Array) return { [`${MARK}vector`]: place(path, part) };
    if (Array.isArray(part)) return part.map((element, i) => plain(element, [...path, String(i)]));
    if (typeof part !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(part) as object | null))
      throw new Error(`invariant violation: ${path.join('/')} is nothing that can be written down`);
    return Object.fromEntries(
      Object.entries(part)
        .filter(([, element]) => element !== undefined)
        .map(([name, element]) => [name.startsWith(MARK) ? MARK + name : name, plain(element, [...path, name])]),
    );
  };
  return JSON.stringify(plain(value, []));
}

/** The value of such a text. Throws one sentence when it is none. */
export function fromText(text: string, vector: (place: Place) => Vec): unknown {
  const value = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(value);
    const [only, ...others] = Object.entries(part);
    if (only && others.length === 0 && only[0] === `${MARK}number`) return numberOf(only[1]);
    if (only && others.length === 0 && only[0] === `${MARK}vector`) return vector(placeOf(only[1]));
    return Object.fromEntries(
      Object.entries(part).map(([name, element]) => [
        name.startsWith(MARK + MARK) ? name.slice(MARK.length) : name,
        value(element),
      ]),
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('it has text that is not JSON');
  }
  return value(json);
}

function numberOf(name: unknown): number {
  if (typeof name === 'string' && Object.hasOwn(NUMBERS, name)) return NUMBERS[name]!;
  throw new Error('it has a number that is none');
}

function placeOf(place: unknown): Place {
  if (Array.isArray(place) && place.every((name) => typeof name === 'string')) return place;
  throw new Error('it has a vector without a place');
}
