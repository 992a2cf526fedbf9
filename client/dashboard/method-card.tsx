// What the run's method is: its idea, its paper, its hyper-parameters.

import { Card, Code, Heading, Link, Text } from '@radix-ui/themes';
import { useStore } from '../page/store.ts';
import type { MethodInfo } from './methods.ts';
import { store } from './model.ts';

export function MethodCard() {
  const method = useStore(store, (state) => state.methods.find((one) => one.name === state.run?.method) ?? null);
  if (method === null) return null;
  const { paper } = method;
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
          <Text as="p" size="2" color="gray" mt="2">
            {paper.authors} ({paper.year}).{' '}
            <Link href={paper.url} target="_blank" rel="noreferrer">
              {paper.title}
            </Link>
            , {paper.where}.
          </Text>
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
