// What something costs the others, as a ratio of rates: pairs of turns, with it and without. Which comes first changes from
// pair to pair, so that a machine that gets busier favours neither.

export interface Turns {
  /** Each gives a rate, say exchanges a second. */
  readonly without: () => Promise<number>;
  readonly beside: () => Promise<number>;
}

/** The rate beside it over the rate without, by the time that both took over all pairs. */
export async function ratioOf({ without, beside }: Turns, pairs: number): Promise<number> {
  const seconds = { without: 0, beside: 0 }; // of one exchange
  for (let i = 0; i < pairs; i++) {
    if (i % 2 === 0) seconds.without += 1 / (await without());
    seconds.beside += 1 / (await beside());
    if (i % 2 === 1) seconds.without += 1 / (await without());
  }
  return seconds.without / seconds.beside;
}
