// Shown for a run that takes only listed devices: which device this is, to be sent to whoever runs it.

import { Callout, Code } from '@radix-ui/themes';
import { useEffect, useState } from 'react';
import { CopyButton } from '../page/copy-button.tsx';
import { Icon } from '../page/icons.tsx';
import { browserKey } from '../worker/device-key.ts';

export function ListNotice() {
  const [id, setId] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    void browserKey().then((key) => setId(key?.id ?? null));
  }, []);
  if (id === undefined) return null;
  return (
    <Callout.Root color={id === null ? 'amber' : 'gray'} mt="4">
      <Callout.Icon>
        <Icon name={id === null ? 'warning' : 'info'} />
      </Callout.Icon>
      <Callout.Text>
        This run takes only devices on its list.{' '}
        {id === null ? (
          'This one cannot prove which it is: browsers keep keys only on pages from https or localhost, outside private windows. Ask whoever runs this for such an address.'
        ) : (
          <>
            Send the id of this one to whoever runs it: <Code>{id}</Code> <CopyButton text={id} />
          </>
        )}
      </Callout.Text>
    </Callout.Root>
  );
}
