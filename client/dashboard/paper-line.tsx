// The paper that a method comes from, in one line.

import { Link, Text } from '@radix-ui/themes';
import type { MethodInfo } from './methods.ts';

export function PaperLine({ paper }: { paper: MethodInfo['paper'] }) {
  return (
    <Text as="p" size="2" color="gray" mt="2">
      {paper.authors} ({paper.year}).{' '}
      <Link href={paper.url} target="_blank" rel="noreferrer">
        {paper.title}
      </Link>
      , {paper.where}.
    </Text>
  );
}
