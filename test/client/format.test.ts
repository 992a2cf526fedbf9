// Numbers as people read them.

import { describe, expect, it } from 'vitest';
import {
  bytes,
  clock,
  compact,
  count,
  counted,
  duration,
  loss,
  milliseconds,
  percent,
  rate,
  significant,
  UNKNOWN,
} from '../../client/page/format.ts';

describe('format', () => {
  it('shows what is not known as such, and never as 0', () => {
    for (const format of [bytes, count, duration, loss, milliseconds, percent, rate, significant]) {
      expect(format(null)).toBe(UNKNOWN);
      expect(format(undefined)).toBe(UNKNOWN);
      expect(format(NaN)).toBe(UNKNOWN);
      expect(format(0)).not.toBe(UNKNOWN);
    }
  });

  it('groups counts and gives their noun its number', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect(counted(1, 'step')).toBe('1 step');
    expect(counted(1234, 'step')).toBe('1,234 steps');
  });

  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.00 kB'],
    [407_080, '407 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [12_340_000, '12.3 MB'],
    [5e18, '5000 PB'],
  ])('writes %d bytes as %s', (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [0.84, '0.8 ms'],
    [118.4, '118 ms'],
    [1400, '1.4 s'],
    [65_000, '1 min 05 s'],
  ])('writes a step of %d ms as %s', (ms, text) => expect(milliseconds(ms)).toBe(text));

  it.each([
    [45_000, '45 s', '0:45'],
    [59_700, '1 min 00 s', '1:00'],
    [185_000, '3 min 05 s', '3:05'],
    [7_620_000, '2 h 07 min', '2:07:00'],
    [273_600_000, '3 d 4 h', '76:00:00'],
  ])('writes a duration of %d ms as %s, on an axis %s', (ms, text, axis) => {
    expect(duration(ms)).toBe(text);
    expect(clock(ms)).toBe(axis);
  });

  it.each([
    [0, '0.0000'],
    [0.31234, '0.3123'],
    [2.30259, '2.303'],
    [12.345, '12.35'],
    [123.45, '123.5'],
    [1.5e-5, '1.5×10⁻⁵'],
    [-2.5e12, '-2.5×10¹²'],
  ])('writes a loss of %d as %s', (value, text) => expect(loss(value)).toBe(text));

  it('keeps three digits of a gap or a learning rate', () => {
    expect([0, 0.05, 0.00012, 0.123456, 42.1234].map(significant)).toEqual(['0', '0.05', '1.2×10⁻⁴', '0.123', '42.1']);
  });

  it('keeps fewer decimals of larger rates, and shortens axis labels', () => {
    expect([0, 0.5, 21.34, 1440.2].map(rate)).toEqual(['0', '0.50', '21.3', '1,440']);
    expect([0.25, 950, 9999, 12_000, 3_400_000].map(compact)).toEqual(['0.25', '950', '9999', '12k', '3.4M']);
    expect(percent(0.9776)).toBe('97.8%');
  });
});
