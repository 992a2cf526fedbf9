// What to do where the browser withholds WebGPU because the page came over plain http, for the address it came from. Pure.

export interface Remedies {
  /** The page over TLS, once the coordinator has a certificate. */
  readonly secure: string;
  /** Brings the coordinator's port to this machine. */
  readonly forward: string;
  /** The page, then. */
  readonly local: string;
  /** For the browser's list of origins that count as secure. */
  readonly origin: string;
}

export function remediesAt({ origin, hostname, port, search }: Location): Remedies {
  const number = port || '80';
  const from = `${hostname}${port && `:${port}`}`;
  return {
    secure: `https://${from}/${search}`,
    forward: `ssh -N -L 3000:localhost:${number} you@${hostname}`,
    local: `http://localhost:3000/${search}`,
    origin,
  };
}

/** Only Chromium's kin have it. */
export const TRUST_FLAG = 'chrome://flags/#unsafely-treat-insecure-origin-as-secure';
