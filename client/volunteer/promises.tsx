// What a stranger should know before lending a machine: what is computed, what travels, what stays.

import { Heading, Text } from '@radix-ui/themes';
import { bytes } from '../page/format.ts';
import { Icon } from '../page/icons.tsx';
import { useStore } from '../page/store.ts';
import { store } from './model.ts';

/** Parameters and gradients are at most four bytes a number. */
const PARAMETER_BYTES = 4;

export function Promises() {
  const parameters = useStore(store, (state) => state.run?.parameters ?? null);
  const size = parameters === null ? '' : `, at most ${bytes(parameters * PARAMETER_BYTES)} each way`;
  return (
    <section className="promises" aria-label="What happens on your machine">
      <Promise icon="chip" title="What it uses">
        Your GPU or CPU, only while this page is open. Closing the page ends everything; nothing is installed, and the
        work you held goes to someone else.
      </Promise>
      <Promise icon="exchange" title="What travels">
        In come pictures of a public data set and the model’s parameters. Out go gradients: numbers that say how the
        model should change{size} for each step. Whoever takes part can read what comes in, so nobody should ever train
        on private data this way.
      </Promise>
      <Promise icon="lock" title="What stays private">
        Nothing of yours is read: no files, no camera, no history. The operator sees the name you type, what your GPU is
        called, how fast it computes, and, as every server does, your network address.
      </Promise>
    </section>
  );
}

interface PromiseProps {
  readonly icon: 'chip' | 'exchange' | 'lock';
  readonly title: string;
  readonly children: React.ReactNode;
}

function Promise({ icon, title, children }: PromiseProps) {
  return (
    <div className="promise">
      <Icon name={icon} />
      <div>
        <Heading as="h2" size="2">
          {title}
        </Heading>
        <Text as="p" size="2" color="gray">
          {children}
        </Text>
      </div>
    </div>
  );
}
