// SHA-256 (FIPS 180-4) in plain code, for pages on an insecure origin, where a browser withholds crypto.subtle. Elsewhere
// the host's own is some ten times faster. For addressing bytes, not for secrets.

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of 8. */
const { K, H0 } = constants();

function constants(): { K: Uint32Array; H0: Uint32Array } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 2 ** 32);
  return {
    K: Uint32Array.from(primes, (p) => fraction(Math.cbrt(p))),
    H0: Uint32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p))),
  };
}

const BLOCK_BYTES = 64;

/** The SHA-256 of some bytes, in lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  const hash = H0.slice();
  const schedule = new Uint32Array(64);
  const whole = bytes.byteLength - (bytes.byteLength % BLOCK_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, whole);
  for (let at = 0; at < whole; at += BLOCK_BYTES) mix(hash, schedule, view, at);
  const rest = padded(bytes.subarray(whole), bytes.byteLength);
  for (let at = 0; at < rest.byteLength; at += BLOCK_BYTES) mix(hash, schedule, rest, at);
  return Array.from(hash, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** The last, incomplete block: a 1 bit, zeros, and the message's length in bits. One block or two. */
function padded(rest: Uint8Array, totalBytes: number): DataView {
  const bytes = new Uint8Array(rest.byteLength < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES);
  bytes.set(rest);
  bytes[rest.byteLength] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.byteLength - 8, Math.floor(totalBytes / 2 ** 29));
  view.setUint32(bytes.byteLength - 4, totalBytes << 3);
  return view;
}

const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** One block of 64 bytes at `at`. `w` is scratch: the message schedule. */
function mix(hash: Uint32Array, w: Uint32Array, block: DataView, at: number): void {
  for (let t = 0; t < 16; t++) w[t] = block.getUint32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [x, y] = [w[t - 15]!, w[t - 2]!];
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t]! + w[t]!) | 0;
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] = hash[i]! + word));
}
