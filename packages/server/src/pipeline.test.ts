import { StanzaError } from '@parley/xmpp/stanza-error';
import { describe, expect, it } from 'vitest';
import { Pipeline } from './pipeline.ts';

interface Context {
  readonly log: string[];
}

/** A pipeline of texts, and the errors that nobody felt. */
function pipeline(): { line: Pipeline<string, Context>; reported: unknown[] } {
  const reported: unknown[] = [];
  return { line: new Pipeline<string, Context>((error) => reported.push(error)), reported };
}

/** Whether stages answer at once or later, what comes of them is the same. */
const ways: [string, <T>(value: T) => T | Promise<T>][] = [
  ['at once', (value) => value],
  ['later', async (value) => value],
];

describe.each(ways)('stages that answer %s', (_, answer) => {
  it('run in order, whatever the order in which they were added', async () => {
    const { line } = pipeline();
    const log: string[] = [];
    line.use('deliver', (subject, context) => {
      context.log.push(`deliver ${subject}`);
      return answer(false);
    });
    line.use('observe', (subject, context) => {
      context.log.push(`observe ${subject}`);
      return answer(undefined);
    });
    line.use('transform', (subject) => answer(`${subject}1`));
    line.use('transform', (subject) => answer(`${subject}2`));
    line.use('guard', (subject, context) => {
      context.log.push(`guard ${subject}`);
      return answer(undefined);
    });
    expect(await line.run('x', { log })).toBe(false);
    expect(log).toEqual(['guard x', 'observe x12', 'deliver x12']);
  });

  it('the first that takes delivery ends it', async () => {
    const { line } = pipeline();
    const taken: string[] = [];
    for (const [name, takes] of [
      ['a', false],
      ['b', true],
      ['c', true],
    ] as const) {
      line.use('deliver', () => {
        taken.push(name);
        return answer(takes);
      });
    }
    expect(await line.run('x', { log: [] })).toBe(true);
    expect(taken).toEqual(['a', 'b']);
  });

  it.each(['guard', 'transform', 'deliver'] as const)('an error in %s is felt', async (stage) => {
    const { line, reported } = pipeline();
    const after: string[] = [];
    line.use('guard', () => answer(undefined));
    line.use(stage, (() => fail(answer)) as never);
    line.use('deliver', () => {
      after.push('delivered');
      return true;
    });
    await expect((async () => line.run('x', { log: [] }))()).rejects.toThrow(StanzaError);
    expect([after, reported]).toEqual([[], []]);
  });

  it('an error in observe is reported and not felt', async () => {
    const { line, reported } = pipeline();
    line.use('observe', () => fail(answer) as never);
    line.use('observe', (_subject, { log }) => answer(void log.push('seen')));
    line.use('deliver', () => answer(true));
    const log: string[] = [];
    expect(await line.run('x', { log })).toBe(true);
    expect([log, reported]).toEqual([['seen'], [expect.any(StanzaError)]]);
  });
});

function fail(answer: (value: unknown) => unknown): unknown {
  const error = new StanzaError('forbidden');
  if (answer(0) instanceof Promise) return Promise.reject(error);
  throw error;
}

describe('Pipeline', () => {
  it('makes no promise where nothing waits', () => {
    const { line } = pipeline();
    expect([line.empty, line.run('x', { log: [] })]).toEqual([true, false]);
    line.use('transform', (subject) => subject);
    line.use('deliver', () => true);
    expect([line.empty, line.run('x', { log: [] })]).toEqual([false, true]);
  });

  it('is not disturbed by a stage that is added while it runs', () => {
    const { line } = pipeline();
    line.use('guard', () => line.use('deliver', () => true));
    expect(line.run('x', { log: [] })).toBe(false);
    expect(line.run('x', { log: [] })).toBe(true);
  });
});
