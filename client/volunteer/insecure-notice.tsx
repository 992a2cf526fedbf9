// Shown where the browser withholds WebGPU because the page came over plain http: what is wrong, and what helps.

import { Callout, Code, Heading } from '@radix-ui/themes';
import type { ReactNode } from 'react';
import { Icon } from '../page/icons.tsx';
import { remediesAt, TRUST_FLAG } from './insecure.ts';

export function InsecureNotice() {
  const { secure, forward, local, origin } = remediesAt(location);
  return (
    <Callout.Root color="amber" mt="4" role="note" aria-labelledby="insecure-title">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <div className="notice">
        <Heading as="h3" size="2" id="insecure-title">
          No WebGPU here: this address is plain http
        </Heading>
        <p>
          Browsers lend a GPU only to pages from https, or from localhost. At <Code>{origin}</Code> you can contribute
          with your CPU (WebAssembly), more slowly. To lend your GPU, do one of these three:
        </p>
        <ol>
          <Step title="Open it over https">
            Whoever runs it makes a certificate once with <Code>npm run dev-cert</Code>, which says how to start with it
            and how this device comes to trust it. Then open <a href={secure}>{secure}</a>
          </Step>
          <Step title="Or bring it to this machine">
            With an account on the coordinator’s machine, run <Code>{forward}</Code> in a terminal, leave it open, and
            open <a href={local}>{local}</a>
          </Step>
          <Step title="Or tell Chrome or Edge to trust this address">
            Only on a network of your own. Open <Code>{TRUST_FLAG}</Code>, enter <Code>{origin}</Code>, choose Enabled,
            and relaunch.
          </Step>
        </ol>
      </div>
    </Callout.Root>
  );
}

function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li>
      <strong>{title}.</strong> {children}
    </li>
  );
}
