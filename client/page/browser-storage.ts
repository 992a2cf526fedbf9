// localStorage and sessionStorage, which may be forbidden or full: then nothing is remembered, and nothing breaks.

export interface TextSlot {
  load(): string | null;
  save(text: string | null): void;
}

/** One key. `open` is a function since merely naming a forbidden storage throws. */
export function textSlot(open: () => Storage, key: string): TextSlot {
  return {
    load: () => {
      try {
        return open().getItem(key);
      } catch {
        return null;
      }
    },
    save: (text) => {
      try {
        if (text === null || text === '') open().removeItem(key);
        else open().setItem(key, text);
      } catch {
        // Not remembered.
      }
    },
  };
}
