import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { movesOn, rostersOn } from '../../../../tests/support/account-moves.ts';
import { moverKeys } from '../auth/moves/move-keys.ts';
import { vcardKeys } from '../xeps/0054-vcard/vcard-store.ts';
import { rosterKeys } from './roster-store.ts';

const jid = (text: string) => Jid.parse(text);
const [a, b, c, d] = ['a@x', 'b@x', 'c@x', 'd@x'].map(jid) as [Jid, Jid, Jid, Jid];

let keyspace: Keyspace;
beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
  onTestFinished(() => keyspace.close());
});

const here = (others: string[] = []) => movesOn(keyspace, { domains: ['x'], others });
const setCard = (account: Jid, text: string) => keyspace.set(vcardKeys.key(account.bareText), text);
const card = async (account: Jid) => (await keyspace.get(vcardKeys.key(account.bareText)))?.toString();

async function befriend(one: Jid, other: Jid): Promise<void> {
  const rosters = rostersOn(keyspace);
  for (const [account, contact] of [
    [one, other],
    [other, one],
  ] as const) {
    await rosters.change(account, contact, () => ({
      item: { subscription: 'both', ask: false, approved: false, name: `was ${contact}`, groups: [] },
    }));
  }
}

async function contacts(account: Jid): Promise<string[]> {
  const roster = await rostersOn(keyspace).get(account);
  return [...roster.items].map((item) => `${item.jid} ${item.subscription}, ${item.name}`).sort();
}

describe('addresses that change in a directory', () => {
  it('take along what was kept at the former ones', async () => {
    const { all } = here();
    await setCard(a, 'of a');
    await befriend(a, d);
    await all.begin(a, b, { directory: true });
    await all.run();
    expect([await card(a), await card(b)]).toEqual([undefined, 'of a']);
    expect([await contacts(b), await contacts(d)]).toEqual([['d@x both, was d@x'], ['b@x both, was a@x']]);
  });

  it('may be passed on from one to the next', async () => {
    const { all } = here();
    await setCard(a, 'of a');
    await setCard(b, 'of b');
    await befriend(a, b);
    await befriend(b, d);
    await all.begin(a, b, { directory: true, person: '1' });
    await all.begin(b, c, { directory: true, person: '2' });
    await all.run();
    expect([await card(a), await card(b), await card(c)]).toEqual([undefined, 'of a', 'of b']);
    expect(await contacts(b)).toEqual(['c@x both, was b@x']);
    expect(await contacts(c)).toEqual(['b@x both, was a@x', 'd@x both, was d@x']);
    expect(await contacts(d)).toEqual(['c@x both, was b@x']);
  });

  it('may be exchanged', async () => {
    const { all } = here();
    await setCard(a, 'of a');
    await setCard(b, 'of b');
    await befriend(a, b);
    await befriend(a, d);
    await all.begin(a, b, { directory: true, person: '1' });
    await all.begin(b, a, { directory: true, person: '2' });
    expect([await card(a), await card(b)]).toEqual([undefined, undefined]); // nobody sees what is another's
    await all.run();
    expect([await card(a), await card(b)]).toEqual(['of b', 'of a']);
    expect(await contacts(a)).toEqual(['b@x both, was a@x']);
    expect(await contacts(b)).toEqual(['a@x both, was b@x', 'd@x both, was d@x']);
    expect(await contacts(d)).toEqual(['b@x both, was a@x']);
  });

  it('may change twice before anything has moved', async () => {
    const { all } = here();
    await setCard(a, 'of a');
    await all.begin(a, b, { directory: true, person: '1' });
    await all.begin(b, c, { directory: true, person: '1' });
    await all.run();
    expect([await card(a), await card(b), await card(c)]).toEqual([undefined, undefined, 'of a']);
  });

  it('may move on to another address before an earlier owner of it has moved', async () => {
    const { all } = here();
    await setCard(a, 'of the first');
    await all.begin(a, b, { directory: true, person: '1' });
    await setCard(a, 'of the second');
    await all.begin(a, c, { directory: true, person: '2' });
    await all.run();
    expect([await card(a), await card(b), await card(c)]).toEqual([undefined, 'of the first', 'of the second']);
  });

  it('leave what the new one has already', async () => {
    const { all } = here();
    await setCard(a, 'of a');
    await setCard(b, 'of b');
    await befriend(a, c);
    await befriend(b, d);
    await all.begin(a, b, { directory: true });
    await all.run();
    expect([await card(a), await card(b)]).toEqual([undefined, 'of b']);
    expect(await contacts(b)).toEqual(['c@x both, was c@x', 'd@x both, was d@x']);
  });
});

describe('by hand', () => {
  it('what an account of a directory has left behind goes to the one that it is now', async () => {
    const { all } = here(['b@x', 'c@x']);
    await setCard(a, 'of a');
    await expect(all.begin(c, b)).rejects.toThrow('c@x is an account of the directory: change its address there');
    await expect(all.begin(d, b)).rejects.toThrow('There is no account d@x, and nothing that one has left behind.');
    await expect(all.begin(a, d)).rejects.toThrow('There is no account d@x that could have what a@x had.');
    await all.begin(a, b);
    await expect(all.begin(a, c)).rejects.toThrow('a@x is moving to b@x just now.');
    await all.run();
    expect(await card(b)).toBe('of a');
  });

  it('an account goes nowhere where another one was made meanwhile', async () => {
    const { all, accounts, moves, errors } = here();
    await accounts.create(a, []);
    await all.begin(a, b, { leave: true });
    await accounts.create(b, []);
    await all.run();
    expect([await accounts.find(a), await moves.records(), errors]).toMatchObject([
      { disabled: false },
      [],
      ['account.move-failed'],
    ]);
  });

  it('a disabled account stays disabled', async () => {
    const { all, accounts } = here();
    await accounts.create(a, []);
    await accounts.setDisabled(a, true);
    await all.begin(a, b);
    expect((await accounts.find(b))?.disabled).toBe(true);
    await all.run();
    expect([(await accounts.find(a))?.disabled, (await accounts.find(b))?.disabled]).toEqual([undefined, true]);
  });
});

it('is done by one alone, and by another one when that is gone', async () => {
  const [one, other] = [here(), here()];
  await setCard(a, 'of a');
  const record = await one.all.begin(a, b, { directory: true });
  await keyspace.set(moverKeys.key(), 'somebody who died', { px: 30_000 });
  await other.all.run();
  expect(await card(b)).toBeUndefined();
  await keyspace.del(moverKeys.key());
  const steps: string[] = [];
  for await (const { step } of other.all.follow(record)) steps.push(step);
  expect([steps[0], steps.at(-1), await card(b)]).toEqual(['adopt', 'done', 'of a']);
});

it('says what holds it up, and goes on with others', async () => {
  const { all, moves, errors } = here();
  await keyspace.hset(rosterKeys.key(a.bareText), [['d@x', '1\0?nonsense']]);
  await setCard(c, 'of c');
  const record = await all.begin(a, b, { directory: true });
  await all.begin(c, d, { directory: true });
  await all.run();
  expect(await card(d)).toBe('of c');
  expect(errors).toEqual(['account.move-failed']);
  expect(await moves.record(a)).toMatchObject({
    id: record.id,
    step: 'contacts',
    trouble: 'A contact in the keyspace cannot be read.',
  });
  const progress = all.follow(record, false);
  expect((await progress.next()).value).toMatchObject({ trouble: 'A contact in the keyspace cannot be read.' });
  await progress.return(undefined);
});
