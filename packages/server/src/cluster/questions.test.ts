import { beforeEach, describe, expect, it } from 'vitest';
import { decodeNotice } from './items.ts';
import { Questions } from './questions.ts';

let sent: [to: string, item: Buffer][];
let known: Set<string>;
let questions: Questions;

beforeEach(() => {
  sent = [];
  known = new Set(['b', 'c']);
  questions = new Questions((to, item) => {
    if (!known.has(to)) return false;
    sent.push([to, item]);
    return true;
  });
});

const bytes = (id: number) => {
  const item = Buffer.alloc(4);
  item.writeUInt32BE(id);
  return item;
};

/** The number that a question bore. */
const idOf = (place: number) => sent[place]?.[1].readUInt32BE() ?? 0;

describe('a question', () => {
  it('is answered by whom it was asked', async () => {
    const [first, second] = [questions.ask('b', bytes), questions.ask('b', bytes)];
    expect(idOf(0)).not.toBe(idOf(1));
    expect(questions.onAnswer('c', idOf(0), true)).toBe(true); // it was not asked
    questions.onAnswer('b', idOf(1), true);
    questions.onAnswer('b', idOf(1), false); // too late
    questions.onAnswer('b', idOf(0), false);
    expect(await Promise.all([first, second])).toEqual([false, true]);
  });

  it('is answered with no where nobody is there, or is there any more', async () => {
    expect(await questions.ask('x', bytes)).toBe(false);
    const [gone, other] = [questions.ask('b', bytes), questions.ask('c', bytes)];
    questions.onNodeGone('b');
    questions.onNodeGone('b');
    expect(await gone).toBe(false);
    questions.onAnswer('c', idOf(1), true);
    expect(await other).toBe(true);
  });

  it('is none of a stanza’s answers', () => {
    expect(questions.onAnswer('b', 1, true)).toBe(false);
    expect(questions.onAnswer('b', 0x7fffffff, true)).toBe(false);
    void questions.ask('b', bytes);
    expect(idOf(0)).toBeGreaterThan(0x7fffffff);
  });
});

it('tells several, and waits for those that are there', async () => {
  let told = false;
  const telling = questions.tellAll(['b', 'c', 'x'], 'roster', 'juliet@capulet.lit').then(() => {
    told = true;
  });
  const notices = sent.map(([to, item]) => ({ to, ...decodeNotice(item) }));
  expect(notices.map(({ to, subject, text }) => [to, subject, text])).toEqual([
    ['b', 'roster', 'juliet@capulet.lit'],
    ['c', 'roster', 'juliet@capulet.lit'],
  ]);
  questions.onAnswer('b', notices[0]?.id ?? 0, true);
  await Promise.resolve();
  expect(told).toBe(false);
  questions.onNodeGone('c');
  await telling;
});
