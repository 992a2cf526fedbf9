// Timing for ratios within one run: what is compared is interleaved, so that a busy machine slows both alike.

export interface Contender {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

/** The median milliseconds of each contender, over rounds in which each runs once. */
export async function race(
  contenders: readonly Contender[],
  { rounds = 31, warmups = 5 } = {},
): Promise<Map<string, number>> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < warmups + rounds; round++) {
    for (const { name, run } of contenders) {
      const begin = performance.now();
      await run();
      if (round >= warmups) times.get(name)!.push(performance.now() - begin);
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
