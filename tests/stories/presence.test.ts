import { describe, expect, it } from 'vitest';
import { appear, arrived, befriend, presenceOf, roster, send } from '../support/contacts.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JULIET = 'juliet@localhost/balcony';
const ROMEO = 'romeo@localhost/orchard';

const conditionOf = (element: { child(name: string): { firstChild?: { name: string } } | undefined }) =>
  element.child('error')?.firstChild?.name;

/** Two accounts that are subscribed to each other; their clients are gone again. */
async function friends(server: TestServer, juliet = JULIET, romeo = ROMEO): Promise<void> {
  const pair = [await server.online(juliet), await server.online(romeo)] as const;
  await befriend(...pair);
  for (const client of pair) await client.close();
}

describe('initial presence', () => {
  it('comes back to the one who sent it', async () => {
    const server = await startServer();
    const juliet = await appear(server, JULIET, '<presence id="x"><show>chat</show></presence>');
    expect((await juliet.next()).toString()).toBe(
      `<presence xmlns='jabber:client' to='juliet@localhost' from='${JULIET}' id='x'><show>chat</show></presence>`,
    );
  });

  it('goes to contacts, and brings theirs', async () => {
    const server = await startServer();
    await friends(server);
    const juliet = await appear(server, JULIET, '<presence><status>here</status></presence>');
    expect(await arrived(juliet)).toEqual([`presence available ${JULIET}`]);
    const romeo = await appear(server, ROMEO, '<presence><show>away</show></presence>');
    expect((await juliet.nextPresence(ROMEO)).childText('show')).toBe('away');
    const got = await presenceOf(romeo, undefined, JULIET);
    expect(got.toString()).toBe(
      `<presence xmlns='jabber:client' to='${ROMEO}' from='${JULIET}'><status>here</status></presence>`,
    );
    expect(await arrived(romeo)).toEqual([`presence available ${ROMEO}`]);
    expect(await arrived(juliet)).toEqual([]);
  });

  it('brings the presence of each of their resources as it is by then', async () => {
    const server = await startServer();
    await friends(server);
    const a = await server.online('juliet@localhost/a');
    a.send('<presence><show>dnd</show></presence>');
    await a.sync();
    await server.online('juliet@localhost/b', '<presence><priority>-5</priority></presence>');
    await server.client('juliet@localhost/connected');
    const romeo = await appear(server, ROMEO);
    expect((await romeo.nextPresence('juliet@localhost/a')).childText('show')).toBe('dnd');
    expect((await romeo.nextPresence('juliet@localhost/b')).childText('priority')).toBe('-5');
    expect(await arrived(romeo)).toEqual([`presence available ${ROMEO}`]);
  });

  it('goes to those alone who are subscribed', async () => {
    const server = await startServer();
    const juliet = await server.online(JULIET);
    const romeo = await server.online(ROMEO);
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    const stranger = await server.online('stranger@localhost/x');
    send(stranger, 'subscribe', 'juliet@localhost');
    await stranger.sync();
    send(juliet, 'subscribed', 'romeo@localhost');
    await juliet.sync();
    await romeo.sync();
    juliet.send('<presence><show>away</show></presence>');
    romeo.send('<presence><show>away</show></presence>');
    expect(await arrived(romeo)).toEqual([`presence available ${JULIET}`, `presence available ${ROMEO}`]);
    expect(await arrived(juliet)).toEqual([`presence available ${JULIET}`]);
    expect(await arrived(stranger)).toEqual([]);
  });

  it('is seen by the other resources of the account, which are seen by it', async () => {
    const server = await startServer();
    const balcony = await server.online(JULIET);
    const connected = await server.client('juliet@localhost/connected');
    const chamber = await appear(server, 'juliet@localhost/chamber');
    expect(await arrived(chamber)).toEqual([
      'presence available juliet@localhost/chamber',
      `presence available ${JULIET}`,
    ]);
    expect(await arrived(balcony)).toEqual(['presence available juliet@localhost/chamber']);
    expect(await arrived(connected)).toEqual([]);
  });
});

describe('later presence', () => {
  it('goes to contacts and brings nothing', async () => {
    const server = await startServer();
    await friends(server);
    const juliet = await server.online(JULIET);
    const romeo = await server.online(ROMEO);
    await juliet.sync();
    juliet.send(
      `<presence><show>xa</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>`,
    );
    expect(await arrived(juliet)).toEqual([`presence available ${JULIET}`]);
    const [presence, ...more] = await romeo.sync();
    expect(more).toEqual([]);
    expect(presence?.childText('show')).toBe('xa');
    expect(presence?.child('c', 'http://jabber.org/protocol/caps')?.attr('ver')).toBe('v');
  });

  it('changes the priority that messages go by', async () => {
    const server = await startServer();
    const romeo = await server.client(ROMEO);
    const juliet = await server.online(JULIET, '<presence><priority>-1</priority></presence>');
    romeo.send(`<message to='juliet@localhost' type='headline'><body>lost</body></message>`);
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
    juliet.send('<presence><priority>0</priority></presence>');
    await juliet.sync();
    romeo.send(`<message to='juliet@localhost' type='headline'><body>found</body></message>`);
    expect((await juliet.nextMessage()).childText('body')).toBe('found');
  });

  it.each(['128', '-129', 'high', ''])('with the priority %j is refused, and changes nothing', async (priority) => {
    const server = await startServer();
    await friends(server);
    const romeo = await server.online(ROMEO);
    const juliet = await server.online(JULIET, '<presence><priority>3</priority></presence>');
    await romeo.sync();
    juliet.send(`<presence id='bad'><priority>${priority}</priority></presence>`);
    const error = await juliet.next();
    expect([error.attr('type'), error.attr('id'), conditionOf(error)]).toEqual(['error', 'bad', 'bad-request']);
    expect(await arrived(romeo)).toEqual([]);
    expect(server.sessionOf(JULIET).priority).toBe(3);
  });

  it('that is too large is refused', async () => {
    const server = await startServer({ config: { limits: { presence: { maxBytes: 10_000 } } } });
    const juliet = await server.online(JULIET);
    juliet.send(`<presence><status>${'x'.repeat(10_000)}</status></presence>`);
    expect(conditionOf(await juliet.next())).toBe('policy-violation');
    juliet.send(`<presence><status>${'x'.repeat(9_000)}</status></presence>`);
    expect((await juliet.next()).attr('type')).toBeUndefined();
    juliet.send(`<presence type='unavailable'><status>${'x'.repeat(10_000)}</status></presence>`);
    const gone = await juliet.next();
    expect([gone.attr('type'), gone.children]).toEqual(['unavailable', []]);
    expect(server.exceeded('presence-bytes')).toBe(2);
  });

  it('of a type that there is not is refused', async () => {
    const server = await startServer();
    const juliet = await server.online(JULIET);
    juliet.send(`<presence type='available'/>`);
    expect(conditionOf(await juliet.next())).toBe('bad-request');
  });
});

describe('the end of presence', () => {
  async function seen() {
    const server = await startServer();
    await friends(server);
    const juliet = await server.online(JULIET);
    const chamber = await server.online('juliet@localhost/chamber');
    const romeo = await server.online(ROMEO);
    for (const client of [juliet, chamber, romeo]) await client.sync();
    return { server, juliet, chamber, romeo };
  }

  it('is told with what the client says', async () => {
    const { juliet, chamber, romeo } = await seen();
    juliet.send(`<presence type='unavailable'><status>bye</status></presence>`);
    expect((await juliet.nextPresence(JULIET)).attr('type')).toBe('unavailable');
    for (const client of [chamber, romeo]) {
      const gone = await client.nextPresence(JULIET);
      expect([gone.attr('type'), gone.childText('status')]).toEqual(['unavailable', 'bye']);
    }
    juliet.send(`<presence type='unavailable'/>`); // once is enough
    await juliet.close(); // and the end of the stream says it no second time
    expect(await arrived(romeo)).toEqual([]);
    expect(await arrived(chamber)).toEqual([]);
  });

  it('can be taken back, as if the resource were new', async () => {
    const { juliet, romeo } = await seen();
    juliet.send(`<presence type='unavailable'/>`);
    await juliet.sync();
    romeo.send('<presence><show>dnd</show></presence>');
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
    juliet.send('<presence/>');
    expect((await juliet.nextPresence(ROMEO)).childText('show')).toBe('dnd');
    await presenceOf(romeo, undefined, JULIET);
  });

  it.each([
    ['closed', (client: Awaited<ReturnType<typeof seen>>['juliet']) => client.close()],
    ['broken', async (client: Awaited<ReturnType<typeof seen>>['juliet']) => client.break()],
    ['ended by an error', async (client: Awaited<ReturnType<typeof seen>>['juliet']) => client.send('<a></b>')],
  ])('is told when the stream is %s', async (_, end) => {
    const { juliet, chamber, romeo } = await seen();
    await end(juliet);
    for (const client of [chamber, romeo]) await presenceOf(client, 'unavailable', JULIET);
    expect(await arrived(romeo)).toEqual([]);
  });

  it('is told when another session takes the resource', async () => {
    const { server, romeo } = await seen();
    await appear(server, JULIET, '<presence><show>chat</show></presence>');
    await romeo.sync().then((got) => {
      expect(got.map((element) => [element.attr('type'), element.childText('show')])).toEqual([
        ['unavailable', undefined],
        [undefined, 'chat'],
      ]);
    });
  });

  it('of a session that never was available is told to nobody', async () => {
    const { server, romeo } = await seen();
    const connected = await server.client('juliet@localhost/connected');
    connected.send(`<presence type='unavailable'/>`);
    await connected.close();
    expect(await arrived(romeo)).toEqual([]);
  });
});

describe('directed presence', () => {
  it('goes to one alone, who is told when it ends', async () => {
    const server = await startServer();
    const juliet = await server.online(JULIET);
    const stranger = await server.online('stranger@localhost/x');
    const other = await server.online('other@localhost/x');
    juliet.send(`<presence to='stranger@localhost/x'><show>dnd</show></presence>`);
    expect((await stranger.nextPresence(JULIET)).childText('show')).toBe('dnd');
    juliet.send('<presence><show>away</show></presence>'); // is not for them
    await juliet.sync();
    expect(await arrived(stranger)).toEqual([]);
    juliet.break();
    await presenceOf(stranger, 'unavailable', JULIET);
    expect(await arrived(other)).toEqual([]);
  });

  it('works before initial presence, which contacts do not see', async () => {
    const server = await startServer();
    await friends(server);
    const romeo = await server.online(ROMEO);
    const stranger = await server.online('stranger@localhost/x');
    const juliet = await server.client(JULIET);
    for (const to of ['stranger@localhost', ROMEO]) juliet.send(`<presence to='${to}'/>`);
    await presenceOf(romeo, undefined, JULIET);
    await presenceOf(stranger, undefined, JULIET);
    await juliet.close();
    await presenceOf(romeo, 'unavailable', JULIET);
    await presenceOf(stranger, 'unavailable', JULIET);
    expect(await arrived(romeo)).toEqual([]);
  });

  it('to a contact is told the end of once', async () => {
    const server = await startServer();
    await friends(server);
    const romeo = await server.online(ROMEO);
    const juliet = await server.online(JULIET);
    juliet.send(`<presence to='${ROMEO}'><show>chat</show></presence>`);
    await juliet.sync();
    await romeo.sync();
    await juliet.close();
    expect(await arrived(romeo)).toEqual([`presence unavailable ${JULIET}`]);
  });

  it('ends when it is taken back', async () => {
    const server = await startServer();
    const juliet = await server.online(JULIET);
    const stranger = await server.online('stranger@localhost/x');
    juliet.send(`<presence to='stranger@localhost'/>`);
    await presenceOf(stranger, undefined, JULIET);
    juliet.send(`<presence type='unavailable' to='stranger@localhost'><status>bye</status></presence>`);
    expect((await presenceOf(stranger, 'unavailable', JULIET)).childText('status')).toBe('bye');
    await juliet.close();
    expect(await arrived(stranger)).toEqual([]);
  });

  it('has a limit', async () => {
    const server = await startServer({ config: { limits: { presence: { directedTargets: 2 } } } });
    const juliet = await server.online(JULIET);
    const stranger = await server.online('stranger@localhost/x');
    for (const to of ['a@localhost', 'b@localhost', 'b@localhost']) juliet.send(`<presence to='${to}'/>`);
    expect(await arrived(juliet)).toEqual([]);
    juliet.send(`<presence to='stranger@localhost' id='c'/>`);
    const error = await juliet.next();
    expect([error.attr('id'), conditionOf(error)]).toEqual(['c', 'policy-violation']);
    expect(await arrived(stranger)).toEqual([]);
    juliet.send(`<presence type='unavailable' to='a@localhost'/><presence to='stranger@localhost'/>`);
    await presenceOf(stranger, undefined, JULIET);
    expect(server.exceeded('directed-presence')).toBe(1);
  });
});

describe('a probe', () => {
  it('is answered to who is subscribed', async () => {
    const server = await startServer();
    await friends(server);
    const romeo = await server.online(ROMEO);
    send(romeo, 'probe', 'juliet@localhost');
    expect(await arrived(romeo)).toEqual(['presence unavailable juliet@localhost']);
    await server.online(JULIET, '<presence><show>away</show></presence>');
    await server.online('juliet@localhost/chamber', '<presence><show>dnd</show></presence>');
    await romeo.sync();
    send(romeo, 'probe', 'juliet@localhost');
    expect((await romeo.nextPresence(JULIET)).childText('show')).toBe('away');
    expect((await romeo.nextPresence('juliet@localhost/chamber')).childText('show')).toBe('dnd');
    send(romeo, 'probe', 'juliet@localhost/chamber');
    send(romeo, 'probe', 'juliet@localhost/gone');
    expect(await arrived(romeo)).toEqual([
      'presence available juliet@localhost/chamber',
      'presence unavailable juliet@localhost/gone',
    ]);
  });

  it('is answered to nobody else, whether there is such an account or not', async () => {
    const server = await startServer();
    const juliet = await server.online(JULIET);
    const stranger = await server.online('stranger@localhost/x');
    await roster(stranger);
    for (const to of ['juliet@localhost', JULIET, 'nobody@localhost']) {
      send(stranger, 'subscribe', to);
      await stranger.sync();
      send(stranger, 'probe', to);
      const bare = to.split('/')[0];
      expect(await arrived(stranger)).toEqual([`presence unsubscribed ${bare}`, `push ${bare} none`]);
    }
    send(juliet, 'probe', 'juliet@localhost'); // one sees oneself
    await juliet.take((element) => element.attr('from') === JULIET);
  });
});

describe('an error in answer to presence', () => {
  it('keeps further presence from whoever sent it, until other presence comes from there', async () => {
    const server = await startServer();
    await friends(server);
    const juliet = await server.online(JULIET);
    const romeo = await server.online(ROMEO);
    await juliet.sync();
    romeo.send(
      `<presence type='error' to='${JULIET}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`,
    );
    await presenceOf(juliet, 'error', ROMEO);
    juliet.send('<presence><show>away</show></presence>');
    await juliet.sync();
    expect(await arrived(romeo)).toEqual([]);
    romeo.send('<presence><show>dnd</show></presence>');
    await romeo.sync();
    juliet.send('<presence><show>xa</show></presence>');
    expect((await romeo.nextPresence(JULIET)).childText('show')).toBe('xa');
  });

  it('means nothing from a stranger', async () => {
    const server = await startServer();
    await friends(server);
    const juliet = await server.online(JULIET);
    const romeo = await server.online(ROMEO);
    const stranger = await server.online('stranger@localhost/x');
    stranger.send(`<presence type='error' to='${JULIET}'/>`);
    await presenceOf(juliet, 'error', 'stranger@localhost/x');
    await romeo.sync();
    juliet.send('<presence><show>away</show></presence>');
    expect((await romeo.nextPresence(JULIET)).childText('show')).toBe('away');
  });
});

describe('users of two domains', () => {
  it('see each other, and nobody sees somebody else of the same name', async () => {
    const server = await startServer({ config: { domains: ['montague.example', 'capulet.example'] } });
    await friends(server, 'juliet@capulet.example/balcony', 'romeo@montague.example/orchard');
    const namesake = await server.online('romeo@capulet.example/orchard');
    const romeo = await server.online('romeo@montague.example/orchard');
    const juliet = await appear(server, 'juliet@capulet.example/balcony');
    await presenceOf(juliet, undefined, 'romeo@montague.example/orchard');
    await presenceOf(romeo, undefined, 'juliet@capulet.example/balcony');
    expect(await arrived(namesake)).toEqual([]);
    juliet.break();
    await presenceOf(romeo, 'unavailable', 'juliet@capulet.example/balcony');
  });
});
