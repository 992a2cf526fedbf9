// The load at which workers in turn diverge on ½λθ², from the method's equations alone: no simulator, no time, no iteration.
//
// With η·λ = a, N workers in turn, and w a step back in time (w·x(t) = x(t − 1)), every update is θ − wθ = −ηv, and what
// comes back was sent N updates ago: with s = θ − ηγ·u, u what the method looks ahead along,
//
//   heavy-ball   v = γ·w·v + λ·wᴺ·θ
//   nag-asgd     v = γ·w·v + λ·wᴺ·s,    u = v
//   multi-asgd   v = γ·wᴺ·v + λ·wᴺ·s,   u = v           the worker's own momentum is N updates old
//   dana-zero    v = γ·wᴺ·v + λ·wᴺ·s,   u = Σ wᵏ·v      over the N workers: (1 − wᴺ)/(1 − w)·v
//
// Without θ and v: a = −(1 − w)(1 − γ·wᵐ) / (wᴺ·(1 + γ·ahead)). A mode neither grows nor shrinks where |w| = 1 and a is real.

interface Complex {
  readonly re: number;
  readonly im: number;
}

const real = (re: number): Complex => ({ re, im: 0 });
const minus = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
const times = (a: Complex, b: Complex): Complex => ({ re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re });
const over = (a: Complex, b: Complex): Complex => {
  const { re, im } = times(a, { re: b.re, im: -b.im });
  const square = b.re * b.re + b.im * b.im;
  return { re: re / square, im: im / square };
};
const onCircle = (angle: number): Complex => ({ re: Math.cos(angle), im: -Math.sin(angle) });

const MOMENTUM = 0.9;
const ONE = real(1);
/** Updates between two of the same momentum; and 1 − w, 1 − wᴺ or 0, by which the look-ahead enters. */
const SHAPES: Readonly<Record<string, { own: boolean; ahead: 'none' | 'step' | 'round' }>> = {
  'heavy-ball': { own: false, ahead: 'none' },
  'nag-asgd': { own: false, ahead: 'step' },
  'multi-asgd': { own: true, ahead: 'step' },
  'dana-zero': { own: true, ahead: 'round' },
};

function loadAt(name: string, workers: number, angle: number): Complex {
  const { own, ahead } = SHAPES[name]!;
  const [w, round] = [onCircle(angle), onCircle(workers * angle)];
  const [step, turn] = [minus(ONE, w), minus(ONE, round)];
  const top = times(step, minus(ONE, times(real(MOMENTUM), own ? round : w)));
  const along = ahead === 'none' ? real(0) : ahead === 'step' ? step : turn;
  const bottom = times(round, minus(ONE, times(real(-MOMENTUM), along)));
  return over(times(real(-workers), top), bottom);
}

const ANGLES = 20_000;

/** The smallest real load ρ = a·N > 0 on the circle. */
export function criticalByEquation(name: string, workers: number): number {
  const at = (angle: number): Complex => loadAt(name, workers, angle);
  let least = Infinity;
  for (let k = 1; k < ANGLES; k++) {
    let [low, high] = [(Math.PI * k) / ANGLES, (Math.PI * (k + 1)) / ANGLES];
    const below = at(low).im < 0;
    if (at(high).im < 0 === below) continue;
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (at(middle).im < 0 === below) low = middle;
      else high = middle;
    }
    const load = at(low).re;
    if (load > 0) least = Math.min(least, load);
  }
  return least;
}
