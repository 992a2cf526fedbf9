// Habits that a machine can keep: every rule has a test, every file says what it is, and links lead somewhere.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourcesUnder } from './imports.ts';

const FILE_LINES_MAX = 300;
const product = ['shared', 'server', 'client'].flatMap(sourcesUnder);
const tests = sourcesUnder('test');
const all = [...product, ...tests, ...sourcesUnder('bench'), ...sourcesUnder('tools')];
const pure = product.filter(({ path }) => /^(shared|server\/core|server\/methods|server\/sim)\//.test(path));

const without = (what: RegExp) => (text: string) => text.replace(what, '');
const withoutComments = (text: string): string =>
  [/\/\*[\s\S]*?\*\//g, /(?<![:'"`\\])\/\/[^\n]*/g].map(without).reduce((rest, strip) => strip(rest), text);

describe('the rules of docs/SPEC.md', () => {
  const spec = readFileSync('docs/SPEC.md', 'utf8');
  const rules = [...spec.matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]!);
  /** What titles begin with: `[L3] …`, or several. */
  const titles = tests.flatMap(({ text }) =>
    [...text.matchAll(/['"`]((?:\[[A-Z]\d+\] ?)+)/g)].map((match) => match[1]!),
  );
  const cited = new Set(titles.flatMap((title) => title.match(/[A-Z]\d+/g) ?? []));

  it('are numbered without gaps, and none twice', () => {
    expect(rules.length).toBeGreaterThan(50);
    for (const letter of new Set(rules.map((rule) => rule[0]!))) {
      const own = rules.filter((rule) => rule.startsWith(letter));
      expect(own).toEqual(own.map((_, i) => `${letter}${i + 1}`));
    }
  });

  it('are each cited by the title of a test', () => {
    expect(rules.filter((rule) => !cited.has(rule))).toEqual([]);
  });

  it('are there when a title cites them', () => {
    const sections = new Set(rules.map((rule) => rule[0]));
    expect([...cited].filter((rule) => sections.has(rule[0]) && !rules.includes(rule))).toEqual([]);
  });
});

describe('source files', () => {
  it('have at most 300 lines', () => {
    const long = all.filter(({ text }) => text.trimEnd().split('\n').length > FILE_LINES_MAX);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('are not called utils', () => {
    expect(all.map(({ path }) => path).filter((path) => /\/(utils?|helpers?|misc)\.tsx?$/.test(path))).toEqual([]);
  });

  it('say at their beginning what they are', () => {
    const silent = [...product, ...tests].filter(({ path, text }) => {
      // a method's file is its definition: the sentence stands above that
      return path.startsWith('server/methods/')
        ? !/\/\*\*[\s\S]+\*\/\nexport default/.test(text)
        : !/^(\/\/|\/\*)/.test(text);
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('in the pure folders read no clock and no chance', () => {
    expect(pure.length).toBeGreaterThan(80);
    const impure = pure.filter(({ text }) =>
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|crypto\.)/.test(
        withoutComments(text),
      ),
    );
    expect(impure.map(({ path }) => path)).toEqual([]);
  });

  it('leave nothing for later', () => {
    const words = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', '@ts-' + 'ignore', '@ts-' + 'nocheck'].join('|'));
    expect(all.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('tests', () => {
  it('are all run, and none alone', () => {
    const words = new RegExp(
      `\\b(it|test|describe)\\.(${['on' + 'ly', 'sk' + 'ip\\(', 'to' + 'do', 'fa' + 'ils'].join('|')})`,
    );
    expect(tests.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('documents', () => {
  const documents = ['.', 'docs', 'docs/adr', 'shared', 'server', 'client', 'test', 'bench']
    .filter(existsSync)
    .flatMap((folder) => {
      return readdirSync(folder)
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name));
    });

  it('link to files that there are', () => {
    expect(documents).toContain('docs/SPEC.md');
    const dead = documents.flatMap((document) => {
      const links = [...readFileSync(document, 'utf8').matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(
        (match) => match[1]!,
      );
      const ours = links.filter((link) => !/^[a-z]+:/.test(link));
      return ours.filter((link) => !existsSync(join(dirname(document), link))).map((link) => `${document}: ${link}`);
    });
    expect(dead).toEqual([]);
  });

  it('name paths of source files that there are', () => {
    const paths = new Set(all.map(({ path }) => path));
    const dead = documents.flatMap((document) => {
      const named = [
        ...readFileSync(document, 'utf8').matchAll(/`((?:shared|server|client|test|bench|tools)\/[\w./-]+\.tsx?)`/g),
      ];
      return named
        .map((match) => match[1]!)
        .filter((path) => !paths.has(path))
        .map((path) => `${document}: ${path}`);
    });
    expect(dead).toEqual([]);
  });
});
