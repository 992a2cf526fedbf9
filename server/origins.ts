// Which addresses the coordinator answers to, and whose pages may act on it. A page of somebody else's that a person has
// open must not act in their name (CSRF), nor reach a coordinator under a name of its own (DNS rebinding).

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

export interface OriginRefusal {
  readonly status: 403 | 421;
  /** One sentence. */
  readonly error: string;
}

type Headers = Pick<IncomingHttpHeaders, 'host' | 'origin'>;

const CHARS_SHOWN_MAX = 80;
const shown = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, CHARS_SHOWN_MAX);

export class Origins {
  /** Of pages at other addresses than the request's, such as a proxy's. */
  readonly #origins: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;

  /** `origins`: further addresses of the coordinator itself, e.g. https://train.example.org. Each must be a URL. */
  constructor(origins: readonly string[], machine: string = hostname()) {
    const urls = origins.map((origin) => new URL(origin));
    this.#origins = new Set(urls.map(({ origin }) => origin));
    const own = machine.toLowerCase();
    this.#names = new Set([...urls.map(({ hostname: name }) => name), own, `${own}.local`]);
  }

  /**
   * Why a request is not for us: a name that anybody may have made point here. Numeric addresses and names without a dot
   * cannot be made to by a stranger.
   */
  misdirected({ host }: Headers): OriginRefusal | null {
    if (host === undefined) return { status: 421, error: 'expected a Host header' };
    const readable = /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
    const name = readable ? new URL(`http://${host}`).hostname : '';
    const known =
      this.#names.has(name) ||
      name.endsWith('.localhost') ||
      isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
      /^[\w-]+$/.test(name);
    if (known) return null;
    const error = `this coordinator does not go by the name ${shown(host)}: start it with --origin and that address`;
    return { status: 421, error };
  }

  /** Why a page may not change anything here, or open a socket. What is no page says no origin. */
  foreign({ host = '', origin }: Headers): OriginRefusal | null {
    if (origin === undefined || this.#origins.has(origin)) return null;
    const own = URL.canParse(origin) && /^https?:\/\//.test(origin) && new URL(origin).host === hostOf(host, origin);
    if (own) return null;
    return { status: 403, error: `pages of ${shown(origin)} may not do that here` };
  }

  /** Of an upgrade, which is a GET that can change things. */
  refusal(headers: Headers): OriginRefusal | null {
    return this.misdirected(headers) ?? this.foreign(headers);
  }
}

/** The Host header as a URL of that scheme has it: without the scheme's own port. */
function hostOf(host: string, origin: string): string | null {
  const url = `${origin.slice(0, origin.indexOf(':'))}://${host}`;
  return URL.canParse(url) ? new URL(url).host : null;
}
