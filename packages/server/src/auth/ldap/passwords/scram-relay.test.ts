import { Jid } from '@parley/xmpp/jid';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { AccountsAway, AccountsBusy } from '../../authenticator.ts';
import type { BindResult } from '../connection/raw-connection.ts';
import { entryOf } from '../entry.ts';
import type { Person } from '../person.ts';
import { type RelayHost, type SaslConnection, ScramRelays } from './scram-relay.ts';

const romeo = Jid.parse('romeo@localhost');
const nobody = Jid.parse('nobody@localhost');
const DN = 'uid=romeo,ou=people';
const person: Person = { id: 'an-id', dn: DN, account: romeo, state: { kind: 'active' }, entry: entryOf(DN, []) };

const result = (code: number, credentials?: string): BindResult => ({
  code,
  diagnostic: '',
  controls: new Map(),
  credentials: credentials === undefined ? undefined : Buffer.from(credentials),
});

const ENDED = result(-1);

let open: number;
let made: number;
let asked: string[];
let answers: BindResult[];
let who: string;
let host: RelayHost;
let relays: ScramRelays;

class Connection implements SaslConnection {
  isOpen = true;

  async bind() {
    asked.push('bind');
    const answer = answers.shift();
    if (answer === undefined || answer === ENDED) {
      this.isOpen = false;
      throw new Error('the connection ended');
    }
    return answer;
  }

  async extended() {
    asked.push('whoami');
    return { code: 0, value: Buffer.from(who) };
  }

  close() {
    this.isOpen = false;
    open--;
  }

  destroy() {}
}

beforeEach(() => {
  open = made = 0;
  asked = [];
  who = `dn:${DN}`;
  answers = [];
  host = {
    deadline: () => performance.now() + 4000,
    find: async (account) => (account.equals(romeo) ? person : undefined),
    isPerson: async () => false,
    open: async () => {
      open++;
      made++;
      return new Connection();
    },
  };
  relays = new ScramRelays(host, Buffer.from('secret'));
});

const CHALLENGE = 'r=mineTheirs,s=c2FsdA==,i=5000';
const PROOF = 'v=c2lnbmF0dXJl';

async function attempt(account: Jid, hash: ScramHash = 'SHA-256') {
  const relay = relays.begin(account, hash);
  const challenge = await relay.first(`n,,n=${account.local},r=mine`);
  return { challenge, final: await relay.final('c=biws,r=mineTheirs,p=cA==').catch((error) => error.condition) };
}

test('a proof that the directory takes opens the account, where it is that very person', async () => {
  answers = [result(14, CHALLENGE), result(0, PROOF)];
  expect(await attempt(romeo)).toEqual({ challenge: CHALLENGE, final: PROOF });
  expect([open, relays.running]).toEqual([1, 0]); // one waits for the next
});

test('also where the server’s proof comes before the last word', async () => {
  answers = [result(14, CHALLENGE), result(14, PROOF), result(0)];
  expect((await attempt(romeo)).final).toBe(PROOF);
});

test.each([
  ['the proof is wrong', [result(14, CHALLENGE), result(49)]],
  ['there is no proof of the server', [result(14, CHALLENGE), result(0)]],
  ['it is not at an end', [result(14, CHALLENGE), result(14, 'more')]],
])('it does not where %s', async (_, given) => {
  answers = given;
  expect((await attempt(romeo)).final).toBe('not-authorized');
  expect(relays.running).toBe(0);
});

test.each(['dn:uid=somebody-else,ou=people', '', 'u:romeo'])(
  'it does not where the proof is that of %j',
  async (other) => {
    who = other;
    answers = [result(14, CHALLENGE), result(0, PROOF)];
    expect((await attempt(romeo)).final).toBe('not-authorized');
  },
);

test('it does where the name is only written in another way', async () => {
  who = 'dn:UID=Romeo, OU=People';
  host.isPerson = async (dn) => dn === 'UID=Romeo, OU=People';
  answers = [result(14, CHALLENGE), result(0, PROOF)];
  expect((await attempt(romeo)).final).toBe(PROOF);
});

test('somebody of the directory who is no account gets nowhere', async () => {
  answers = [result(14, CHALLENGE), result(0, PROOF)];
  expect((await attempt(nobody)).final).toBe('not-authorized');
});

test('somebody unknown is challenged in the same form, for as many questions', async () => {
  answers = [result(14, CHALLENGE), result(49)];
  await attempt(romeo);
  const known = asked.length;
  asked.length = 0;
  answers = [result(80)];
  const { challenge, final } = await attempt(nobody);
  expect(challenge).toMatch(/^r=mine[A-Za-z0-9+/]{6},s=[A-Za-z0-9+/]{6}==,i=5000$/);
  expect(final).toBe('not-authorized');
  expect(asked).toEqual(['bind', 'whoami']);
  expect(asked.length).toBe(known - 1); // the proof, of which the directory knows nothing
  const salt = (text: string) => /s=([^,]+)/.exec(text)?.[1];
  answers = [result(80)];
  expect(salt((await attempt(nobody)).challenge)).toBe(salt(challenge));
  expect(relays.running).toBe(0);
});

describe('a connection', () => {
  test('serves one exchange after the other, and is closed when none comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (const proof of [result(0, PROOF), result(49), result(0, PROOF)]) {
      answers = [result(14, CHALLENGE), proof];
      await attempt(romeo);
    }
    expect(made).toBe(1);
    vi.advanceTimersByTime(30_000);
    expect(open).toBe(0);
    vi.useRealTimers();
  });

  test('that the directory has closed meanwhile is made anew', async () => {
    answers = [result(14, CHALLENGE), result(0, PROOF)];
    await attempt(romeo);
    answers = [ENDED, result(14, CHALLENGE), result(0, PROOF)];
    expect((await attempt(romeo)).final).toBe(PROOF);
    expect(made).toBe(2);
  });
});

test('the directory that is busy, or ends the connection, is away', async () => {
  answers = [result(51)];
  await expect(attempt(romeo)).rejects.toBeInstanceOf(AccountsAway);
  await expect(attempt(romeo)).rejects.toBeInstanceOf(AccountsAway);
  expect([open, relays.running]).toEqual([0, 0]);
});

test('only so many go on at once, and those that clients leave end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  answers = Array.from({ length: 256 }, () => result(14, CHALLENGE));
  const begun = Array.from({ length: 256 }, () => relays.begin(romeo, 'SHA-256'));
  for (const relay of begun) await relay.first('n,,n=romeo,r=mine');
  await expect(relays.begin(romeo, 'SHA-256').first('n,,n=romeo,r=mine')).rejects.toBeInstanceOf(AccountsBusy);
  expect(relays.running).toBe(256);
  vi.advanceTimersByTime(20_000);
  expect([open, relays.running]).toEqual([0, 0]);
  await expect(begun[0]?.final('c=biws,r=mineTheirs,p=cA==')).rejects.toMatchObject({ condition: 'not-authorized' });
  vi.useRealTimers();
});
