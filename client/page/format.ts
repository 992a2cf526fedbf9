// Numbers as people read them. Pure. What is not known is `UNKNOWN`, never 0. Decimal units: 1 kB = 1000 bytes.

export const UNKNOWN = '–';

type Maybe = number | null | undefined;

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const known = (value: Maybe): value is number => value !== null && value !== undefined && Number.isFinite(value);

/** 1,234,567 */
export function count(value: Maybe): string {
  return known(value) ? grouped.format(value) : UNKNOWN;
}

/** "1 step", "2 steps". */
export function counted(value: number, noun: string, several = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : several}`;
}

/** A share from 0 to 1: 97.8% */
export function percent(value: Maybe, digits = 1): string {
  return known(value) ? `${(value * 100).toFixed(digits)}%` : UNKNOWN;
}

/** A loss, or any number whose last digits matter less the larger it is. */
export function loss(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 10_000 || (size > 0 && size < 0.0005)) return scientific(value);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/** A gap, a learning rate: three digits, whatever its size. */
export function significant(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  if (value === 0) return '0';
  return Math.abs(value) < 0.001 || Math.abs(value) >= 1000 ? scientific(value) : String(Number(value.toPrecision(3)));
}

/** 1.2×10⁻⁵ */
function scientific(value: number): string {
  const [digits = '', power = '0'] = value.toExponential(1).split('e');
  const raised = [...String(Math.abs(Number(power)))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return `${digits}×10${Number(power) < 0 ? '⁻' : ''}${raised}`;
}

/** A number of things a second, or a mean. */
export function rate(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  if (value === 0) return '0';
  return value >= 100 ? count(value) : value.toFixed(value >= 10 ? 1 : 2);
}

/** 1.2 MB */
export function bytes(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** Of one step: 0.8 ms, 12 ms, 1.4 s. */
export function milliseconds(ms: Maybe): string {
  if (!known(ms)) return UNKNOWN;
  if (ms >= 10_000) return duration(ms);
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

/** 45 s, 3 min 05 s, 2 h 07 min, 3 d 4 h. */
export function duration(ms: Maybe): string {
  if (!known(ms)) return UNKNOWN;
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (minutes < 1) return `${seconds} s`;
  if (hours < 1) return `${minutes} min ${two(seconds % 60)} s`;
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** For an axis: 0:45, 3:05, 2:07:00. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** For an axis: 950, 12k, 3.4M. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}
