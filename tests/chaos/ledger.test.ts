import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { Timeline } from './timeline.ts';

const [ROMEO, JULIET, NURSE] = ['romeo@localhost/a', 'juliet@localhost/b', 'nurse@localhost/c'];

/** Romeo has said so many messages to Juliet, and all are acknowledged. */
function after(count: number) {
  const timeline = new Timeline();
  const ledger = new Ledger(timeline);
  for (let number = 0; number < count; number++) ledger.said(ROMEO, JULIET, ledger.next());
  ledger.acknowledged(ROMEO, count);
  return { ledger, timeline };
}

const wrong = (ledger: Ledger) => ledger.problems().map(({ what, message }) => `${what} ${message.number}`);

it('finds nothing wrong where everything came once and in order', () => {
  const { ledger } = after(3);
  for (const body of ['0', '1', '2']) ledger.heard(JULIET, ROMEO, body);
  expect([ledger.complete, wrong(ledger)]).toEqual([true, []]);
});

it('finds what was acknowledged and not heard', () => {
  const { ledger, timeline } = after(2);
  timeline.end(timeline.begin('kill', 'node-1'));
  timeline.befell(JULIET, 'lost her connection');
  ledger.heard(JULIET, ROMEO, '1');
  expect([ledger.complete, wrong(ledger)]).toEqual([false, ['lost 0']]);
  expect(ledger.problems().map((problem) => ledger.describe(problem))[0]).toMatch(
    /^lost: romeo@localhost\/a → juliet@localhost\/b #0 .*heard never\n {4}faults: kill node-1 .*\n.*juliet@localhost\/b lost/,
  );
});

it('finds what was heard twice, late or by another', () => {
  const { ledger } = after(4);
  for (const body of ['0', '2', '1', '2', '3']) ledger.heard(JULIET, ROMEO, body);
  ledger.heard(NURSE, ROMEO, '3');
  expect(wrong(ledger)).toEqual(['reordered 1', 'duplicated 2', 'strayed 3']);
});

it('finds what was never acknowledged, and does not call it lost', () => {
  const { ledger } = after(1);
  ledger.said(ROMEO, JULIET, ledger.next());
  ledger.heard(JULIET, ROMEO, '0');
  expect(wrong(ledger)).toEqual(['unacknowledged 1']);
  expect(ledger.figures()).toMatchObject({ said: 2, acknowledged: 1, lost: 0 });
});
