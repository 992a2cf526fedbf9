// What the run's method is: its idea, its paper, its hyper-parameters; and the way to change it.

import { Card, Code, Heading, Text } from '@radix-ui/themes';
import { useStore } from '../page/store.ts';
import { MethodChange } from './method-dialog.tsx';
import type { MethodInfo } from './methods.ts';
import { store } from './model.ts';
import { PaperLine } from './paper-line.tsx';

export function MethodCard() {
  const method = useStore(store, (state) => state.methods.find((one) => one.name === state.run?.method) ?? null);
  if (method === null) return null;
  return (
    <Card size="3" asChild>
      <section className="method" aria-labelledby="method-title">
        <div>
          <Heading as="h2" size="4" id="method-title">
            {method.title} <Code size="2">{method.name}</Code>
          </Heading>
          <Text as="p" size="3" mt="2">
            {method.summary}
          </Text>
          <PaperLine paper={method.paper} />
          <MethodChange current={method} />
        </div>
        {method.hyperparameters.length > 0 && <Hyperparameters of={method} />}
      </section>
    </Card>
  );
}

function Hyperparameters({ of }: { of: MethodInfo }) {
  const values = useStore(store, (state) => state.run?.hyperparameters) ?? {};
  return (
    <dl className="hyperparameters" aria-label="Hyper-parameters of this run">
      {of.hyperparameters.map(({ name, symbol, description, default: usual }) => (
        <div key={name}>
          <dt>
            <Code variant="ghost">{name}</Code>
          </dt>
          <dd className="default">{symbol ? `${symbol} = ${values[name] ?? usual}` : (values[name] ?? usual)}</dd>
          <dd>{description}</dd>
        </div>
      ))}
    </dl>
  );
}
