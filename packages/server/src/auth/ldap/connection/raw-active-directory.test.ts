// What the tests' Active Directory answers, seen through a connection of ours.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { Attribute, Change, Client, Control, EqualityFilter, FilterParser, SearchRequest } from 'ldapts';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { ActiveDirectory, adTime } from '../../../../../../tests/services/active-directory.ts';
import { RESPONSE, readEntry } from './message.ts';
import { RawConnection } from './raw-connection.ts';
import { SocketWire } from './socket-wire.ts';

let directory: ActiveDirectory;
let connection: RawConnection;

beforeEach(async () => {
  directory = await ActiveDirectory.start();
  connection = await connect();
});

async function connect(): Promise<RawConnection> {
  const socket = connectTcp(directory.port, 'localhost');
  await once(socket, 'connect');
  const made = new RawConnection(new SocketWire(socket));
  onTestFinished(() => made.close());
  return made;
}

const code = async (dn: string, password: string) => {
  const { code, diagnostic } = await connection.bind({ dn, password });
  return code === 0 ? 'bound' : `${code} ${/data (\w+)/.exec(diagnostic)?.[1]}`;
};

it('tells in sub-codes why a bind fails', async () => {
  const { dn } = directory.addPerson('romeo');
  expect(await code(dn, 'pw-romeo')).toBe('bound');
  expect(await code('romeo@example.org', 'pw-romeo')).toBe('bound');
  expect(await code(dn, 'wrong')).toBe('49 52e');
  expect(await code('CN=nobody', 'x')).toBe('49 525');
  directory.change('romeo', { accountExpires: adTime(Date.now() - 3_600_000) });
  expect(await code(dn, 'pw-romeo')).toBe('49 701');
  directory.change('romeo', { accountExpires: '0', pwdLastSet: '0' });
  expect(await code(dn, 'pw-romeo')).toBe('49 773');
  directory.disable('romeo');
  expect(await code(dn, 'pw-romeo')).toBe('49 533');
  directory.change('romeo', { lockoutTime: adTime(Date.now()) });
  expect(await code(dn, 'pw-romeo')).toBe('49 775');
});

const service = () => connection.bind(ActiveDirectory.service);

it('finds people by their binary id, and says what changes', async () => {
  const romeo = directory.addPerson('romeo');
  await service();
  const byId = new EqualityFilter({ attribute: 'objectGUID', value: romeo.guid });
  const request = { messageId: 0, baseDN: ActiveDirectory.base, attributes: ['mail', 'objectGUID'] };
  const found = connection.search(new SearchRequest({ ...request, filter: byId }));
  const [entry, done] = await Array.fromAsync(found);
  expect(readEntry(entry as never).attributes.get('objectguid')).toEqual([romeo.guid]);
  expect(done?.operation).toBe(RESPONSE.searchDone);

  const watch = new Control('1.2.840.113556.1.4.528', { critical: true });
  const filter = FilterParser.parseString('(objectClass=*)');
  const changes = connection.search(new SearchRequest({ ...request, timeLimit: 0, filter, controls: [watch] }));
  await service(); // what was asked before it has arrived
  directory.change('romeo', { mail: 'montague@example.org' });
  const [change] = await changes.next();
  expect(String(readEntry(change as never).attributes.get('mail'))).toBe('montague@example.org');
});

it('takes a new password as it wants it', async () => {
  const { dn } = directory.addPerson('romeo');
  const client = new Client({ url: directory.url });
  onTestFinished(() => client.unbind());
  await client.bind(ActiveDirectory.service.dn, ActiveDirectory.service.password);
  const quoted = (text: string) => Buffer.from(`"${text}"`, 'utf16le');
  const change = (operation: 'add' | 'delete', text: string) =>
    new Change({ operation, modification: new Attribute({ type: 'unicodePwd', values: [quoted(text)] }) });
  const modify = (from: string, to: string) => client.modify(dn, [change('delete', from), change('add', to)]);
  await expect(modify('wrong', 'long enough')).rejects.toMatchObject({ code: 19 });
  await expect(modify('pw-romeo', 'short')).rejects.toThrow('0000052D');
  await modify('pw-romeo', 'long enough');
  expect(await code(dn, 'long enough')).toBe('bound');
});
