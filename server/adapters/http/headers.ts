// What pages, and all that Express answers, tell a browser not to do with them.

import helmet from 'helmet';
import type { RequestHandler } from 'express';

const HSTS_SECONDS = 15_552_000;

/**
 * Of scripts. A worker goes by the policy of its own script, a page by the page's: the wasm backend compiles its kernels in
 * the worker, so no page may.
 */
export const SCRIPT_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'";

/** Of pages, and of all that Express answers. */
export const pageHeaders = (hsts: boolean): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"], // Radix positions pop-overs with inline styles
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'worker-src': ["'self'"],
        'manifest-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    strictTransportSecurity: hsts && { maxAge: HSTS_SECONDS, includeSubDomains: false },
  });
