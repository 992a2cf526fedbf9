// A figure beside what is promised of it.

export interface Found {
  readonly what: string;
  readonly found: string;
  readonly promised: string;
  /** Null where nothing is promised, or this run cannot tell. */
  readonly met: boolean | null;
}
