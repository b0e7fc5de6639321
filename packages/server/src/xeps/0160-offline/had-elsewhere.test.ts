import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { hadElsewhere } from './had-elsewhere.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const [SID, ROMEO] = ['a', 'b'].map((digit) => digit.repeat(16)) as [string, string];
const originOf = (k: number) => ({ sid: ROMEO, k, effect: 0 });

it('knows what a session of another node has had, be it acknowledged or not', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const storeOf = (owner: string) =>
    new ResumptionStore({ keyspace, owner: owner.repeat(16), onDamaged: (error) => expect.fail(error.message) });
  const [here, there] = [storeOf('1'), storeOf('2')];
  const had = (k: number, own?: boolean, of = here) => hadElsewhere(of, juliet, originOf(k), () => own);
  expect(await had(1)).toBe(false);
  const record = {
    resource: 'balcony',
    sid: SID,
    epoch: 1,
    maxSeconds: 60,
    carbons: false,
    interested: false,
    receiving: false,
    inactive: false,
    boundAt: 1_700_000_000_000,
    presence: undefined,
    directed: [],
    mechanism: 'SCRAM-SHA-256',
  };
  await there.open(juliet, record, { handled: 0, origins: new Map([[`${ROMEO}.0`, 3]]) });
  await there.append(juliet, SID, 1, [{ out: 1, origin: originOf(5), at: 1, text: '<message/>' }]);
  expect(await Promise.all([3, 5, 6].map((k) => had(k)))).toEqual([true, true, false]);
  expect([await had(3, false), await had(6, true)]).toEqual([false, true]); // this node has it, and knows better
  expect(await had(3, undefined, there)).toBe(true); // it is about to have it
});
