// The ten digits as pen strokes, several ways of writing each. Drawn for this project; no data set was copied.
//
// A stroke is a list of points "x,y" in a box of 100 × 100, x to the right and y down. The pen runs in a smooth curve
// through them; a point marked "!" is a corner. A skeleton is one way of writing a digit: its strokes, joined by "; ".

/** One way of writing a digit. `points` are x, y pairs; each stroke lists point numbers, a corner twice in a row. */
export interface Skeleton {
  readonly points: Float64Array;
  readonly strokes: readonly (readonly number[])[];
}

const WRITTEN: readonly (readonly string[])[] = [
  [
    '50,2 26,16 18,50 28,86 50,98 74,84 82,50 72,14 48,3',
    '54,2 36,18 30,54 38,88 52,98 66,82 70,46 64,14 50,3',
    '66,10 40,6 22,34 22,72 42,97 66,88 80,56 76,22 58,6 48,12',
    '44,6 22,30 20,70 44,97 72,82 80,44 66,12 40,8 30,20',
  ],
  [
    '50,2! 50,98!',
    '60,2! 42,98!',
    '30,24! 53,2! 51,98!',
    '34,22! 54,2! 54,98!; 30,98! 76,98!',
    '36,16 52,2! 50,50 48,98',
  ],
  [
    '22,26 34,6 54,2 73,16 70,38 48,68 20,96! 80,96!',
    '24,20 40,3 62,5 73,22 64,48 38,82 22,92 22,78 36,78 56,92 82,92',
    '20,14 46,2 70,10 76,30 60,50 30,76 20,97! 54,92 80,97',
    '26,30 30,10 52,3 70,20 62,46 24,94! 50,90! 82,94!',
  ],
  [
    '24,14 46,2 70,14 66,36 42,46! 70,56 77,78 52,98 20,88',
    '22,5! 74,4! 44,42! 70,54 77,76 54,98 20,88',
    '26,8 54,4 68,20 56,40 40,46 62,50 74,70 60,94 24,94',
    '20,18 40,2 66,8 66,34 46,44 36,48 44,46 70,56 74,82 50,98 22,84',
  ],
  [
    '34,4! 20,58! 82,56!; 64,26! 60,98!',
    '64,98! 64,2! 16,68! 86,66!',
    '24,4! 22,40 32,54 52,54 76,46!; 76,2! 68,98!',
    '60,4! 18,62! 84,60!; 60,4! 58,98!',
  ],
  [
    '76,4! 34,5! 28,44! 50,36 74,48 77,76 52,98 20,88',
    '32,6! 30,44! 54,40 76,60 66,92 40,98 20,86; 32,6! 80,3!',
    '74,6 44,6 28,24 40,44 66,56 72,82 48,98 22,88',
    '78,6! 36,4! 32,42! 62,44 74,66 62,90 24,94!',
  ],
  [
    '66,4 40,24 24,58 30,88 52,98 75,86 75,64 54,52 28,66',
    '56,2 34,32 24,70 42,97 68,92 74,70 56,56 26,70',
    '42,2! 30,40 26,76 46,98 72,88 70,64 50,58 28,74',
    '74,12 54,3 32,22 24,60 34,92 58,97 76,80 66,58 42,58 26,74',
  ],
  [
    '20,6! 78,6! 44,98!',
    '22,7! 78,6! 50,98!; 32,52! 74,50!',
    '20,12 42,8 79,5! 58,40 46,98',
    '22,24! 24,6! 79,5! 42,98!',
    '20,22 24,8 48,10 79,4! 60,44 54,98; 38,54! 76,48!',
  ],
  [
    '70,16 48,2 28,18 38,40 62,56 75,78 52,98 26,80 38,56 64,38 70,14',
    '50,2 29,24 50,46 71,24 50,2; 50,46 24,72 50,98 76,72 50,46',
    '66,8 40,6 32,26 54,48 72,74 54,98 32,86 38,62 62,36 72,14 64,7',
    '56,46 32,34 36,8 60,4 70,24 52,48 30,66 28,90 52,98 74,84 70,60 50,47',
  ],
  [
    '72,24 50,3 28,20 32,46 54,50 71,32 73,16! 71,98!',
    '72,24 52,3 28,20 32,44 56,50 72,28 73,62 60,90 28,96',
    '70,14 44,4 26,28 40,50 64,40 72,10! 62,60 50,98',
    '66,30 60,6 38,6 28,28 44,48 64,38 68,20 70,56 68,97',
  ],
];

/** All skeletons, by digit. */
export const SKELETONS: readonly (readonly Skeleton[])[] = WRITTEN.map((ways) => ways.map(parse));

/** Points written alike are one point, so strokes that meet still meet after every point has been moved a little. */
function parse(way: string): Skeleton {
  const numbers = new Map<string, number>();
  const points: number[] = [];
  const numberOf = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const [x, y] = text.split(',').map(Number);
    numbers.set(text, numbers.size);
    points.push(x!, y!);
    return numbers.size - 1;
  };
  const strokes = way.split('; ').map((stroke) =>
    stroke.split(' ').flatMap((text) => {
      const point = numberOf(text.replace('!', ''));
      return text.endsWith('!') ? [point, point] : [point];
    }),
  );
  return { points: Float64Array.from(points), strokes };
}
