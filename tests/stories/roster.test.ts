import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it } from 'vitest';
import { appear, arrived, befriend, presenceOf, push, roster, send, setRoster, words } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

const conditionOf = (answer: Awaited<ReturnType<typeof setRoster>>) => answer.child('error')?.firstChild?.name;

describe('a roster', () => {
  it('is empty at first, and has what was set', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    expect((await roster(juliet))?.children).toEqual([]);
    const answer = await setRoster(juliet, `<item jid='nurse@localhost' name='Nurse'><group>Servants</group></item>`);
    expect([answer.attr('type'), answer.children]).toEqual(['result', []]);
    expect((await roster(juliet))?.firstChild?.toString()).toBe(
      "<item xmlns='jabber:iq:roster' jid='nurse@localhost' name='Nurse' subscription='none'><group>Servants</group></item>",
    );
  });

  it('changes a contact whole, subscription apart', async () => {
    const server = await startServer();
    const juliet = await server.online('juliet@localhost/balcony');
    const romeo = await server.online('romeo@localhost/orchard');
    await befriend(juliet, romeo);
    await setRoster(juliet, `<item jid='romeo@localhost' name='Romeo' subscription='none'><group>A</group></item>`);
    await setRoster(juliet, `<item jid='romeo@localhost' ask='subscribe' approved='true'><group>B</group></item>`);
    expect((await roster(juliet))?.firstChild?.toString()).toBe(
      "<item xmlns='jabber:iq:roster' jid='romeo@localhost' subscription='both'><group>B</group></item>",
    );
  });

  it('outlives the session', async () => {
    const server = await startServer();
    const first = await server.client('juliet@localhost/balcony');
    await setRoster(first, `<item jid='nurse@localhost'/>`);
    await first.close();
    const second = await server.client('juliet@localhost/balcony');
    expect((await roster(second))?.elements.map(words)).toEqual(['nurse@localhost none']);
  });

  it('is for its owner', async () => {
    const server = await startServer();
    const [juliet, tybalt] = [
      await server.client('juliet@localhost/balcony'),
      await server.client('tybalt@localhost/x'),
    ];
    await setRoster(juliet, `<item jid='nurse@localhost'/>`);
    const query = "<query xmlns='jabber:iq:roster'/>";
    for (const to of ['juliet@localhost', 'nobody@localhost']) {
      expect(conditionOf(await tybalt.request('get', query, to))).toBe('service-unavailable');
      expect(conditionOf(await tybalt.request('set', query, to))).toBe('service-unavailable');
    }
    expect((await juliet.request('get', query, 'juliet@localhost')).attr('type')).toBe('result');
  });

  it.each([
    ['bad-request', `<item jid='a@localhost'/><item jid='b@localhost'/>`],
    ['bad-request', `<item jid='a@localhost'><group>A</group><group>A</group></item>`],
    ['jid-malformed', `<item jid='a@@localhost'/>`],
    ['not-acceptable', `<item jid='a@localhost'><group/></item>`],
    ['not-allowed', `<item jid='juliet@localhost'/>`],
    ['item-not-found', `<item jid='a@localhost' subscription='remove'/>`],
  ])('refuses with %s: %s', async (condition, items) => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    await roster(juliet);
    expect(conditionOf(await setRoster(juliet, items))).toBe(condition);
    expect(await arrived(juliet)).toEqual([]);
    expect((await roster(juliet))?.children).toEqual([]);
  });

  it('has limits', async () => {
    const server = await startServer({ config: { roster: { maxItems: 2, maxGroupsPerItem: 1, maxNameBytes: 4 } } });
    const juliet = await server.client('juliet@localhost/balcony');
    await setRoster(juliet, `<item jid='a@localhost'/>`);
    await setRoster(juliet, `<item jid='b@localhost'/>`);
    expect(conditionOf(await setRoster(juliet, `<item jid='c@localhost'/>`))).toBe('resource-constraint');
    juliet.send(`<presence type='subscribe' to='c@localhost'/>`);
    expect(conditionOf(await presenceOf(juliet, 'error', 'c@localhost'))).toBe('resource-constraint');
    expect(conditionOf(await setRoster(juliet, `<item jid='b@localhost' name='12345'/>`))).toBe('not-acceptable');
    const groups = '<group>A</group><group>B</group>';
    expect(conditionOf(await setRoster(juliet, `<item jid='b@localhost'>${groups}</item>`))).toBe('policy-violation');
    expect((await setRoster(juliet, `<item jid='b@localhost' name='1234'/>`)).attr('type')).toBe('result');
    expect(server.exceeded('roster-items')).toBe(2);
    expect(server.exceeded('roster-name-bytes')).toBe(1);
    expect(server.exceeded('roster-groups')).toBe(1);
  });
});

describe('roster pushes', () => {
  it('go to every resource that asked for the roster, and to no other account', async () => {
    const server = await startServer();
    const balcony = await server.client('juliet@localhost/balcony');
    const chamber = await server.client('juliet@localhost/chamber');
    const garden = await server.client('juliet@localhost/garden');
    const tybalt = await server.client('tybalt@localhost/street');
    await Promise.all([roster(balcony), roster(chamber), roster(tybalt)]);
    await setRoster(garden, `<item jid='nurse@localhost' name='Nurse'/>`);
    for (const client of [balcony, chamber]) {
      const [stanza, ...more] = await client.sync();
      expect(more).toEqual([]);
      expect([stanza?.attr('to'), stanza?.attr('from')]).toEqual([client.jid, 'juliet@localhost']);
      const query = stanza?.firstChild;
      expect(Number(query?.attr('ver'))).toBeGreaterThan(0);
      expect(query?.firstChild?.attr('name')).toBe('Nurse');
    }
    expect(await arrived(garden)).toEqual([]);
    expect(await arrived(tybalt)).toEqual([]);
  });

  it('come before the answer to the set that caused them', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    await roster(juliet);
    juliet.send(`<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`);
    expect((await juliet.next()).attr('type')).toBe('set');
    expect((await juliet.next()).attr('id')).toBe('s');
  });
});

describe('roster versions', () => {
  it('are offered once the client is known', async () => {
    const server = await startServer();
    const client = server.connect();
    client.open('localhost');
    expect(
      (await client.take(({ name }) => name === 'features')).childOf('urn:xmpp:features:rosterver'),
    ).toBeUndefined();
    const known = (await server.client('juliet@localhost')).features;
    expect(known?.child('ver', 'urn:xmpp:features:rosterver')).toBeDefined();
    expect(known?.child('sub', 'urn:xmpp:features:pre-approval')).toBeDefined();
  });

  it('spare a client what it has', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    const empty = (await roster(juliet, ''))?.attr('ver') as string;
    expect(await roster(juliet, empty)).toBeUndefined();
    await setRoster(juliet, `<item jid='nurse@localhost'/>`);
    const query = await roster(juliet, empty);
    expect(query?.elements.map(words)).toEqual(['nurse@localhost none']);
    const ver = query?.attr('ver') as string;
    expect(await roster(juliet, ver)).toBeUndefined();
    await juliet.close();
    const again = await server.client('juliet@localhost/chamber');
    expect(await roster(again, ver)).toBeUndefined();
    await setRoster(again, `<item jid='tybalt@localhost'/>`); // it is interested all the same
    expect(await arrived(again)).toEqual(['push tybalt@localhost none']);
  });

  it('give a client what it missed as pushes, after the answer', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    for (let i = 0; i < 10; i++) await setRoster(juliet, `<item jid='c${i}@localhost'/>`);
    const before = (await roster(juliet))?.attr('ver') as string;
    await setRoster(juliet, `<item jid='c5@localhost' name='five'/>`);
    await setRoster(juliet, `<item jid='new@localhost'/>`);
    await setRoster(juliet, `<item jid='c5@localhost' name='Five'/>`);
    const now = (await roster(juliet))?.attr('ver');

    const chamber = await server.client('juliet@localhost/chamber');
    chamber.send(`<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='${before}'/></iq>`);
    const answer = await chamber.next();
    expect([answer.attr('id'), answer.children]).toEqual(['r', []]);
    const missed = [await chamber.next(), await chamber.next()].map((stanza) => stanza.firstChild);
    expect(missed.map((query) => query?.firstChild?.attr('jid'))).toEqual(['new@localhost', 'c5@localhost']);
    expect(missed.map((query) => query?.firstChild?.attr('name'))).toEqual([undefined, 'Five']);
    expect(missed[1]?.attr('ver')).toBe(now);
    expect(await arrived(chamber)).toEqual([]);

    await setRoster(juliet, `<item jid='c0@localhost' subscription='remove'/>`);
    expect((await roster(chamber, before))?.elements).toHaveLength(10); // what was removed cannot be told otherwise
  });

  it('give what was missed before what comes after, and end with what is true', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    for (let i = 0; i < 10; i++) await setRoster(juliet, `<item jid='c${i}@localhost'/>`);
    const ver = (await roster(juliet))?.attr('ver');
    await setRoster(juliet, `<item jid='c1@localhost' name='one'/>`);
    await setRoster(juliet, `<item jid='c2@localhost' name='two'/>`);
    const chamber = await server.client('juliet@localhost/chamber');
    chamber.send(
      `<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='${ver}'/></iq>` +
        `<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='c1@localhost' name='ONE'/></query></iq>`,
    );
    const came: string[] = [];
    while (came.at(-1) !== 's') {
      const stanza = await chamber.next();
      came.push(stanza.firstChild?.firstChild?.attr('name') ?? stanza.attr('id') ?? '');
    }
    // "one" may be left out, since it has changed again; the answer of each request is behind its pushes
    expect(came.filter((what) => what !== 'one')).toEqual(['r', 'two', 'ONE', 's']);
    expect(await arrived(chamber)).toEqual([]);
  });

  it('are not spoken of where they are switched off', async () => {
    const server = await startServer({ config: { roster: { versioning: false } } });
    expect((await server.client('juliet@localhost')).features?.childOf('urn:xmpp:features:rosterver')).toBeUndefined();
    const juliet = await server.client('juliet@localhost/balcony');
    expect((await roster(juliet, '0'))?.attributes).toEqual([]);
    await setRoster(juliet, `<item jid='nurse@localhost'/>`);
    expect((await juliet.next()).firstChild?.attributes).toEqual([]);
  });

  it('that make no sense get the whole roster', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    await setRoster(juliet, `<item jid='nurse@localhost'/>`);
    for (const ver of ['', '1', 'ver14', '-1', '1e3', '99999999999999', '9'.repeat(400)]) {
      expect((await roster(juliet, ver))?.elements).toHaveLength(1);
    }
  });
});

describe('removing a contact', () => {
  it('ends both subscriptions, and presence', async () => {
    const server = await startServer();
    const juliet = await server.online('juliet@localhost/balcony');
    const romeo = await server.online('romeo@localhost/orchard');
    await Promise.all([roster(juliet), roster(romeo)]);
    await befriend(juliet, romeo);

    expect((await setRoster(juliet, `<item jid='romeo@localhost' subscription='remove'/>`)).attr('type')).toBe(
      'result',
    );
    expect(await arrived(romeo)).toEqual([
      'presence unavailable juliet@localhost/balcony',
      'presence unsubscribe juliet@localhost',
      'push juliet@localhost to',
      'presence unsubscribed juliet@localhost',
      'push juliet@localhost none',
    ]);
    expect(await arrived(juliet)).toEqual([
      'push romeo@localhost remove',
      'presence unavailable romeo@localhost/orchard',
    ]);
    expect((await roster(juliet))?.children).toEqual([]);

    romeo.send('<presence><show>away</show></presence>');
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
  });

  it('takes back a request that is under way, and denies one that waits', async () => {
    const server = await startServer();
    const juliet = await server.online('juliet@localhost/balcony');
    const romeo = await server.online('romeo@localhost/orchard');
    await Promise.all([roster(juliet), roster(romeo)]);
    send(juliet, 'subscribe', 'romeo@localhost');
    await presenceOf(romeo, 'subscribe', 'juliet@localhost');
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    await Promise.all([push(juliet), push(romeo)]);

    await setRoster(juliet, `<item jid='romeo@localhost' subscription='remove'/>`);
    expect(await arrived(romeo)).toEqual([
      'presence unsubscribe juliet@localhost',
      'presence unsubscribed juliet@localhost',
      'push juliet@localhost none',
    ]);
    send(romeo, 'subscribed', 'juliet@localhost'); // nobody asks anymore: this is pre-approval
    expect(words(await push(romeo))).toBe('juliet@localhost none approved');
    await juliet.close();
    const later = await appear(server, 'juliet@localhost/balcony');
    expect(await arrived(later)).toEqual(['presence available juliet@localhost/balcony']);
  });
});

describe('removing an account', () => {
  it('takes it out of everybody’s sight', async () => {
    const server = await startServer();
    const juliet = await server.online('juliet@localhost/balcony');
    const romeo = await server.online('romeo@localhost/orchard');
    const nurse = await server.online('nurse@localhost/chamber');
    await befriend(juliet, romeo);
    send(nurse, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'nurse@localhost');
    await Promise.all([roster(romeo), roster(nurse)]);
    await server.accounts.remove?.(Jid.parse('juliet@localhost'));
    await juliet.closed;
    await presenceOf(romeo, 'unavailable', 'juliet@localhost/balcony');
    await presenceOf(romeo, 'unsubscribe', 'juliet@localhost');
    await presenceOf(romeo, 'unsubscribed', 'juliet@localhost');
    await presenceOf(nurse, 'unsubscribed', 'juliet@localhost');
    expect((await roster(romeo))?.elements.map(words)).toEqual(['juliet@localhost none']);
    expect((await roster(nurse))?.elements.map(words)).toEqual(['juliet@localhost none']);
    await romeo.sync();
    const heir = await appear(server, 'juliet@localhost/balcony');
    expect((await roster(heir))?.children).toEqual([]);
    expect(await arrived(heir)).toEqual(['presence available juliet@localhost/balcony']);
    expect(await arrived(romeo)).toEqual([]);
  });
});
