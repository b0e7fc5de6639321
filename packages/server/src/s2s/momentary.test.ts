import { Jid } from '@parley/xmpp/jid';
import { message, presence } from '@parley/xmpp/stanza';
import { describe, expect, test } from 'vitest';
import { isOutdated, supersedes } from './momentary.ts';

const romeo = Jid.parse("romeo@local.example/a'b");
const juliet = Jid.parse('juliet@remote.example');
const text = (type?: string, from = romeo, to = juliet) => presence({ from, to, id: 'type=', type }).toString();

describe('presence that waits', () => {
  test.each([
    [undefined, true],
    ['probe', true],
    ['unavailable', false],
    ['subscribe', false],
    ['subscribed', false],
  ])('of type %s is outdated after a while: %s', (type, outdated) => {
    expect([30_000, 30_001].map((now) => isOutdated({ text: text(type), at: 0 }, now))).toEqual([false, outdated]);
  });

  test('as nothing else is', () => {
    expect(isOutdated({ text: message({ from: romeo, to: juliet }).toString(), at: 0 }, 1e6)).toBe(false);
  });

  test('is superfluous where the same says something newer to the same', () => {
    const waits = (waiting: string, next: string) => supersedes(next)?.({ text: waiting, at: 0 });
    expect(waits(text(), text('unavailable'))).toBe(true);
    expect(waits(text('unavailable'), text())).toBe(true);
    expect(waits(text('probe'), text('probe'))).toBe(true);
    expect(waits(text('probe'), text())).toBe(false);
    expect(waits(text('subscribe'), text())).toBe(false);
    expect(waits(text(), text('subscribe'))).toBeUndefined();
    expect(waits(text(), text(undefined, romeo.bare))).toBe(false);
    expect(waits(text(), text(undefined, romeo, juliet.withResource('x')))).toBe(false);
  });
});
