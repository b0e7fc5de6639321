import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DOCKERFILE } from './build.ts';
import { visible } from './context.ts';
import { pairsOf, stagesOf } from './dockerfile.ts';

it('is read with its arguments, continued lines and flags', () => {
  const [first, second] = stagesOf(`
# a comment
ARG BASE=debian:slim
FROM \${BASE} AS one
RUN echo \${HOME} \\
# between
 && true
FROM one
ARG BASE
COPY --from=one /a /b
LABEL a="\${BASE} x" \\
      b=c
CMD ["a", "b c"]`);
  expect(first).toMatchObject({ name: 'one', base: 'debian:slim', instructions: [{ text: `echo \${HOME}  && true` }] });
  expect(second?.base).toBe('one');
  const [copy, label, command] = second?.instructions ?? [];
  expect(copy).toMatchObject({ words: ['/a', '/b'], flags: new Map([['from', 'one']]) });
  expect([...pairsOf(label?.text ?? '')]).toEqual([
    ['a', 'debian:slim x'],
    ['b', 'c'],
  ]);
  expect(command?.words).toEqual(['a', 'b c']);
  expect(() => stagesOf('FROM a\nADD b c')).toThrow('The tests know no instruction ADD');
});

it.each([
  ['a.ts', false],
  ['b', true],
  ['b/c.ts', true],
  ['b/c.test.ts', false],
  ['b/node_modules/d', false],
  ['b/c/testing/d', false],
  ['bc', false],
])('of the context, %s is seen: %s', (path, seen) => {
  expect(visible('# all\n*\n!b\n\n**/node_modules\n**/*.test.ts\nb/*/testing\n')(path)).toBe(seen);
});

it('installs by the lock file, names no registry, and runs nothing by a shell', () => {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const instructions = stagesOf(text).flatMap((stage) => stage.instructions);
  const runs = instructions.filter(({ name }) => name === 'RUN').map((run) => run.text);
  expect(runs.filter((run) => /bootstrap\.mjs/.test(run))).toHaveLength(1);
  expect(runs.filter((run) => /pnpm|npm |curl|wget/.test(run.replaceAll('/.pnpm/', '')))).toEqual([]);
  for (const { base } of stagesOf(text)) expect(base).not.toMatch(/^[^/]*\.[^/]*\//);
  for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK']) {
    expect(instructions.filter((each) => each.name === name).every(({ text }) => /\[.*\]$/.test(text))).toBe(true);
  }
});

it('has what Node.js is linked against wherever it runs', () => {
  const runs = stagesOf(readFileSync(DOCKERFILE, 'utf8')).map(({ instructions }) =>
    instructions.filter(({ name }) => ['RUN', 'ENTRYPOINT'].includes(name)).map(({ text }) => text),
  );
  const [, ...ofNode] = runs; // the first stage sorts files
  expect(ofNode).toHaveLength(2);
  for (const texts of ofNode) expect(texts.join('\n')).toMatch(/apt-get install [^&]*\blibatomic1\b/);
});
