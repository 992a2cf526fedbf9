// Shown where the browser withholds WebGPU because the page came over plain http: what it means and what to do.

import { Callout } from '@radix-ui/themes';
import { Icon } from '../page/icons.tsx';

export function InsecureNotice() {
  return (
    <Callout.Root color="amber" mt="4">
      <Callout.Icon>
        <Icon name="warning" />
      </Callout.Icon>
      <div className="notice">
        <Callout.Text>
          <strong>Your GPU cannot be used at this address.</strong> Browsers offer WebGPU only over https, and on the
          coordinator’s own machine at localhost.
        </Callout.Text>
        <ol>
          <li>Ask whoever runs this for the address that begins with https://.</li>
          <li>Open it. If the browser does not know the certificate, compare it with the operator, then accept it.</li>
          <li>Press Contribute there.</li>
        </ol>
        <Callout.Text>
          You can also contribute here: it then computes on your CPU with WebAssembly, more slowly.
        </Callout.Text>
      </div>
    </Callout.Root>
  );
}
