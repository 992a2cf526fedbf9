// One connection to a database that speaks PostgreSQL's SQL, whichever it is: a server over the network, or PGlite in a
// thread. Questions are answered in the order they were asked.

export interface Answered {
  readonly rows: Record<string, unknown>[];
  readonly affected: number;
}

export interface Link {
  /** Numbers for every numeric type, Dates for times, values for JSON. Rejects with PostgreSQL's error code in `code`. */
  query(sql: string, values: readonly unknown[]): Promise<Answered>;
  /** Housekeeping that this database does not do by itself. */
  maintain(): Promise<void>;
  close(): Promise<void>;
  /** Cuts it off at once: every question that is open rejects. */
  destroy(): void;
}

/** What a link that was opened has to say: a folder that could not be read was set aside. */
export interface Remark {
  /** Fit to be shown to everyone. */
  readonly text: string;
  /** As the database said it, perhaps with paths in it: for the log. */
  readonly cause: string;
}

export interface Opened {
  readonly link: Link;
  readonly remark: Remark | null;
}

/** Rejects when it cannot be opened, or when it is told that nobody waits any more. */
export type OpenLink = (signal: AbortSignal) => Promise<Opened>;

/** A database that hangs is as good as gone: cut off after this long, and connected to again. */
export const ANSWER_MS_MAX = 15_000;

/** The link, but that it is destroyed when an answer takes longer. */
export function impatient(link: Link, answerMsMax = ANSWER_MS_MAX): Link {
  const within = <T>(answer: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => link.destroy(), answerMsMax);
    return answer.finally(() => clearTimeout(timer));
  };
  return {
    query: (sql, values) => within(link.query(sql, values)),
    maintain: () => link.maintain(),
    close: () => within(link.close()),
    destroy: () => link.destroy(),
  };
}
