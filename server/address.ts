// Where a request comes from, as a key for counting: an address, or the network that one subscriber has.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** One subscriber has 2⁶⁴ addresses of IPv6: the first four groups are counted as one. IPv4 in IPv6 is IPv4. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (isIP(address) !== 6 || address === '::1') return address;
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':').length : 0;
  const zeros = tail === undefined ? 0 : 8 - groups.length - after;
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...(tail ? tail.split(':') : [])];
  return `${all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`; // prettier-ignore
}

/** This machine's own, which is also everybody's behind a proxy on it. */
export const isLoopback = (key: string): boolean => key === '::1' || key.startsWith('127.');

/** The peer's; behind a proxy that is trusted, the last address in X-Forwarded-For, which is the one that it added itself. */
export function requestAddress(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  trustProxy: boolean,
): string {
  const forwarded = trustProxy ? String(headers['x-forwarded-for'] ?? '').split(',').at(-1)!.trim() : ''; // prettier-ignore
  return addressKey(isIP(forwarded) ? forwarded : socket.remoteAddress);
}
