import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { arrived, befriend, presenceOf, push, roster, send, setRoster, words } from '../support/contacts.ts';
import { putGroup, removeGroup } from '../support/groups.ts';
import { resumable, resume } from '../support/resumption.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NURSE = 'nurse@localhost';
const ROMEO = 'romeo@localhost';
const JULIET = 'juliet@localhost';
const TYBALT = 'tybalt@localhost';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

/** An item with its name and groups: `romeo@localhost both "romeo" [crew, friends]`. */
const whole = (item: Element) =>
  `${words(item)} "${item.attr('name') ?? ''}" [${item.elements.map((group) => group.text).join(', ')}]`;

const items = async (client: TestClient) => (await roster(client))?.elements.map(whole).sort();

/** A client that wants to be told everything: it has asked for the roster, and has sent presence. */
async function whoComes(jid: string): Promise<TestClient> {
  const client = await server.client(jid);
  await roster(client);
  client.send('<presence/>');
  await presenceOf(client, undefined, client.jid);
  return client;
}

/** The same, after everybody has heard of it. */
async function whoWatches(jid: string): Promise<TestClient> {
  const client = await whoComes(jid);
  await server.settled();
  await client.sync();
  return client;
}

const errorOf = (answer: Element) => answer.child('error')?.firstChild?.name;

describe('two people of one group', () => {
  it('have each other in their rosters, and see each other come and go', async () => {
    await putGroup(server, 'crew', { label: 'The crew', add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    expect(await items(juliet)).toEqual(['romeo@localhost both "romeo" [The crew]']);
    const romeo = await whoComes('romeo@localhost/orchard');
    expect(await items(romeo)).toEqual(['juliet@localhost both "juliet" [The crew]']);
    expect((await presenceOf(romeo, undefined, juliet.jid)).attr('to')).toBe(romeo.jid);
    await presenceOf(juliet, undefined, romeo.jid);

    romeo.send('<presence><show>away</show></presence>');
    expect((await presenceOf(juliet, undefined, romeo.jid)).childText('show')).toBe('away');
    await romeo.close();
    await presenceOf(juliet, 'unavailable', romeo.jid);
  });

  it('may ask each other’s clients and the server about each other, which strangers may not', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    const romeo = await whoWatches('romeo@localhost/orchard');
    const tybalt = await whoWatches('tybalt@localhost/hall');
    const last = `<query xmlns='jabber:iq:last'/>`;
    expect((await romeo.request('get', last, JULIET)).attr('type')).toBe('result');
    expect(errorOf(await tybalt.request('get', last, JULIET))).toBe('service-unavailable');
    expect(await items(tybalt)).toEqual([]);
    await juliet.sync();

    romeo.send(`<iq type='get' id='v' to='${juliet.jid}'><query xmlns='jabber:iq:version'/></iq>`);
    const asked = await juliet.take((element) => element.attr('from') === romeo.jid && element.name === 'iq');
    expect(asked.attr('id')).toBe('v');
    juliet.send(`<iq type='result' id='v' to='${romeo.jid}'/>`);
    expect(errorOf(await tybalt.request('get', `<query xmlns='jabber:iq:version'/>`, juliet.jid))).toBe(
      'service-unavailable',
    );
    // nobody else learns that she is there
    tybalt.send(`<presence type='probe' to='${JULIET}'/>`);
    expect(await arrived(tybalt)).toEqual([]);
  });

  it('need not, and cannot, change that by subscriptions', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    const romeo = await whoWatches('romeo@localhost/orchard');
    await juliet.sync();
    await romeo.sync();
    send(juliet, 'subscribe', ROMEO);
    expect(await arrived(juliet)).toEqual([`presence subscribed ${ROMEO}`]);
    for (const type of ['unsubscribe', 'unsubscribed']) {
      send(juliet, type, ROMEO);
      const answer = await juliet.take((element) => element.attr('type') === 'error');
      expect(errorOf(answer)).toBe('not-allowed');
    }
    expect(await arrived(romeo)).toEqual([]);
    romeo.send('<presence><show>dnd</show></presence>');
    await presenceOf(juliet, undefined, romeo.jid);
  });

  it('see nothing of each other where one has blocked the other', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    const romeo = await whoWatches('romeo@localhost/orchard');
    await romeo.sync();
    await juliet.request('set', `<block xmlns='${NS.blocking}'><item jid='${ROMEO}'/></block>`);
    await presenceOf(romeo, 'unavailable', juliet.jid);
    juliet.send('<presence><show>away</show></presence>');
    expect(await arrived(romeo)).toEqual([]);
    // that they are not in a group together any more does not tell that she is there either
    await putGroup(server, 'crew', { remove: [JULIET] });
    expect(await arrived(romeo)).toEqual([`push ${JULIET} remove`]);
    await putGroup(server, 'crew', { add: [JULIET] });
    expect(await arrived(romeo)).toEqual([`push ${JULIET} both`]);
  });
});

describe('a contact of a group', () => {
  it('stays in the roster, but may have a name and groups of the user’s own', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    expect(errorOf(await setRoster(juliet, `<item jid='${ROMEO}' subscription='remove'/>`))).toBe('not-allowed');

    const answer = await setRoster(
      juliet,
      `<item jid='${ROMEO}' name='Rom'><group>crew</group><group>Love</group></item>`,
    );
    expect(answer.attr('type')).toBe('result');
    expect(whole(await push(juliet))).toBe('romeo@localhost both "Rom" [crew, Love]');
    expect(await items(juliet)).toEqual(['romeo@localhost both "Rom" [crew, Love]']);

    await setRoster(juliet, `<item jid='${ROMEO}' name='romeo'/>`);
    expect(whole(await push(juliet))).toBe('romeo@localhost both "romeo" [crew]');

    await setRoster(juliet, `<item jid='${ROMEO}' name='Rom'/>`);
    await juliet.sync();
    await putGroup(server, 'crew', { remove: [ROMEO] });
    expect(whole(await push(juliet))).toBe('romeo@localhost none "Rom" []');
    expect((await setRoster(juliet, `<item jid='${ROMEO}' subscription='remove'/>`)).attr('type')).toBe('result');
  });

  it('keeps its own subscription when the group is gone', async () => {
    const juliet = await whoWatches('juliet@localhost/balcony');
    const romeo = await whoWatches('romeo@localhost/orchard');
    await befriend(juliet, romeo);
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    expect(whole(await push(juliet))).toBe('romeo@localhost both "romeo" [crew]');
    await juliet.sync();
    await romeo.sync();
    await removeGroup(server, 'crew');
    expect(whole(await push(juliet))).toBe('romeo@localhost both "" []');
    expect(await arrived(juliet)).toEqual([`presence available ${romeo.jid}`]);
    romeo.send('<presence><show>dnd</show></presence>');
    await presenceOf(juliet, undefined, romeo.jid);
  });

  it('is not taken from whoever still sees it when the user removes an item of their own', async () => {
    await putGroup(server, 'household', { shownTo: ['crew'], add: [NURSE] });
    await putGroup(server, 'crew', { shownTo: 'nobody', add: [JULIET] });
    const nurse = await whoWatches('nurse@localhost/kitchen');
    const juliet = await whoComes('juliet@localhost/balcony');
    expect(await items(juliet)).toEqual(['nurse@localhost to "nurse" [household]']);
    await presenceOf(juliet, undefined, nurse.jid);
    await setRoster(nurse, `<item jid='${JULIET}' name='Child'/>`);
    expect(whole(await push(nurse))).toBe('juliet@localhost from "Child" []');
    expect(await arrived(nurse)).toEqual([]); // nobody shows her that Juliet is there
    await setRoster(nurse, `<item jid='${JULIET}' subscription='remove'/>`);
    expect(words(await push(nurse))).toBe(`${JULIET} remove`);
    expect(await arrived(juliet)).toEqual([]);
    nurse.send('<presence><show>away</show></presence>');
    await presenceOf(juliet, undefined, nurse.jid);
  });
});

describe('a group that changes', () => {
  it('shows who comes, and takes away who goes', async () => {
    await putGroup(server, 'crew', { add: [JULIET] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    const romeo = await whoWatches('romeo@localhost/orchard');
    const tybalt = await whoWatches('tybalt@localhost/hall');
    await putGroup(server, 'crew', { add: [ROMEO] });
    expect(await arrived(juliet)).toEqual([`push ${ROMEO} both`, `presence available ${romeo.jid}`]);
    expect(await arrived(romeo)).toEqual([`push ${JULIET} both`, `presence available ${juliet.jid}`]);

    await putGroup(server, 'crew', { add: [TYBALT], remove: [ROMEO] });
    const told = await arrived(juliet);
    expect(told.filter((line) => line.includes('tybalt'))).toEqual([
      `push ${TYBALT} both`,
      `presence available ${tybalt.jid}`,
    ]);
    expect(told.filter((line) => line.includes('romeo'))).toEqual([
      `push ${ROMEO} remove`,
      `presence unavailable ${romeo.jid}`,
    ]);
    expect((await arrived(romeo)).sort()).toEqual(
      [`push ${JULIET} remove`, `presence unavailable ${juliet.jid}`].sort(),
    );
    expect((await arrived(tybalt)).sort()).toEqual([`push ${JULIET} both`, `presence available ${juliet.jid}`].sort());
    romeo.send('<presence><show>away</show></presence>');
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
  });

  it('has another name, and its members have others', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    await whoWatches('romeo@localhost/orchard');
    await juliet.sync();
    await putGroup(server, 'crew', { label: 'Lovers' });
    expect(whole(await push(juliet))).toBe('romeo@localhost both "romeo" [Lovers]');
    await server.node.groups.change('crew', { add: new Map([[ROMEO, 'Romeo Montague']]) });
    await server.settled();
    expect(whole(await push(juliet))).toBe('romeo@localhost both "Romeo Montague" [Lovers]');
    expect(await arrived(juliet)).toEqual([]);
  });

  it('may be shown to others from now on, or to nobody', async () => {
    await putGroup(server, 'crew', { shownTo: 'nobody', add: [ROMEO] });
    const romeo = await whoWatches('romeo@localhost/orchard');
    const juliet = await whoWatches('juliet@localhost/balcony');
    expect(await items(juliet)).toEqual([]);
    await putGroup(server, 'crew', { shownTo: 'everyone' });
    expect(await arrived(juliet)).toEqual([`push ${ROMEO} to`, `presence available ${romeo.jid}`]);
    expect(await arrived(romeo)).toEqual([]); // he does not see her
    expect((await romeo.request('get', `<query xmlns='jabber:iq:last'/>`, JULIET)).attr('type')).toBe('error');
    await putGroup(server, 'crew', { shownTo: ['capulet'] });
    expect(await arrived(juliet)).toEqual([`push ${ROMEO} remove`, `presence unavailable ${romeo.jid}`]);
    await putGroup(server, 'capulet', { shownTo: 'nobody', add: [JULIET] });
    expect(await arrived(juliet)).toEqual([`push ${ROMEO} to`, `presence available ${romeo.jid}`]);
    await putGroup(server, 'capulet', { remove: [JULIET] });
    expect(await arrived(juliet)).toEqual([`push ${ROMEO} remove`, `presence unavailable ${romeo.jid}`]);
  });

  it('makes other versions of rosters', async () => {
    await putGroup(server, 'crew', { add: [JULIET, ROMEO] });
    await putGroup(server, 'others', { add: [TYBALT] });
    const juliet = await whoWatches('juliet@localhost/balcony');
    const ver = (await roster(juliet))?.attr('ver') as string;
    expect(await roster(juliet, ver)).toBeUndefined();
    await putGroup(server, 'others', { add: [ROMEO] });
    expect(await roster(juliet, ver)).toBeUndefined(); // not hers
    await setRoster(juliet, `<item jid='${NURSE}'/>`);
    const later = (await juliet.take((element) => element.name === 'iq')).firstChild?.attr('ver') as string;
    expect(later).not.toBe(ver);
    expect(await roster(juliet, later)).toBeUndefined();

    await putGroup(server, 'crew', { add: [TYBALT, NURSE] });
    const pushes = [await juliet.nextIq(), await juliet.nextIq()].map((iq) => iq.firstChild?.attr('ver'));
    expect(pushes[0]).toBe(later); // what comes next is still missing
    expect((await roster(juliet, pushes[0]))?.elements).toHaveLength(3);
    expect(await roster(juliet, pushes[1])).toBeUndefined();
  });
});

it('whoever has no client open is seen by nobody, and sees everybody when they come', async () => {
  await putGroup(server, 'crew', { add: [JULIET] });
  const juliet = await whoWatches('juliet@localhost/balcony');
  await putGroup(server, 'crew', { add: [ROMEO] });
  expect(await arrived(juliet)).toEqual([`push ${ROMEO} both`]);
  const romeo = await whoComes('romeo@localhost/orchard');
  expect(await arrived(juliet)).toEqual([`presence available ${romeo.jid}`]);
  await presenceOf(romeo, undefined, juliet.jid);
});

it('a member of an administrators’ group administers the server as long as it is one', async () => {
  server = await startServer({ config: { adminGroups: ['corp/Wizards'] } });
  const juliet = await server.client('juliet@localhost/balcony');
  const session = server.sessionOf(juliet.jid);
  expect(session.stream.unlimited).toBe(false);
  await putGroup(server, 'wizards', { shownTo: 'nobody', add: [JULIET] });
  expect(session.stream.unlimited).toBe(true);
  await putGroup(server, 'wizards', { remove: [JULIET] });
  expect(session.stream.unlimited).toBe(false);
});

it('a client that comes back to its session gets what has become of its groups meanwhile', async () => {
  await putGroup(server, 'crew', { add: [JULIET, NURSE] });
  const { client: juliet, id, got } = await resumable(server, 'juliet@localhost/balcony');
  await roster(juliet);
  await juliet.sync();
  juliet.break();
  const romeo = await whoWatches('romeo@localhost/orchard');
  await putGroup(server, 'crew', { add: [ROMEO], remove: [NURSE] });
  const { client } = await resume(server, 'juliet@localhost/balcony', id, got());
  expect(words(await push(client))).toBe(`${NURSE} remove`);
  expect(words(await push(client))).toBe(`${ROMEO} both`);
  await presenceOf(client, undefined, romeo.jid);
  await putGroup(server, 'crew', { label: 'The crew' });
  // another node may have told it some of this again: it does not know what the first one told
  expect((await client.take((element) => element.toString().includes('The crew'))).attr('type')).toBe('set');
  expect(await items(client)).toEqual(['romeo@localhost both "romeo" [The crew]']);
});

it('a group of 2,000 costs as much as there are people online', async () => {
  const sailors = Array.from({ length: 1997 }, (_, i) => `sailor${i}@localhost`);
  await putGroup(server, 'crew', { add: [JULIET, ROMEO, NURSE, ...sailors] });
  const juliet = await whoWatches('juliet@localhost/balcony');
  const romeo = await whoWatches('romeo@localhost/orchard');
  const nurse = await whoComes('nurse@localhost/kitchen');
  expect((await roster(nurse))?.elements).toHaveLength(1999);
  await server.settled();
  for (const client of [juliet, romeo, nurse]) await client.sync();

  const sent = () => server.count(({ stanzas }) => stanzas.with({ kind: 'presence', direction: 'out' }));
  const reads = ['hget', 'hgetall', 'batch'].map((name) => vi.spyOn(server.keyspace, name as 'hgetall'));
  const before = sent();
  juliet.send('<presence><show>away</show></presence>');
  for (const client of [juliet, romeo, nurse]) await presenceOf(client, undefined, juliet.jid);
  await server.settled();
  expect(sent() - before).toBe(3);
  expect(reads.reduce((sum, spy) => sum + spy.mock.calls.length, 0)).toBeLessThan(20);

  // one more is told to those three, and to nobody else
  const tybalt = await whoWatches('tybalt@localhost/hall');
  await putGroup(server, 'crew', { add: [TYBALT] });
  for (const client of [juliet, romeo, nurse]) {
    expect(await arrived(client)).toEqual([`push ${TYBALT} both`, `presence available ${tybalt.jid}`]);
  }
  const told = await arrived(tybalt);
  expect(told.filter((line) => line.startsWith('push'))).toHaveLength(2000);
  expect(told.filter((line) => line.startsWith('presence'))).toHaveLength(3);
});
