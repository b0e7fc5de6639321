import { describe, expect, it } from 'vitest';
import { appear, arrived, befriend, presenceOf, push, roster, send, setRoster, words } from '../support/contacts.ts';
import { startServer, type TestServer } from '../support/server.ts';

const JULIET = 'juliet@localhost/balcony';
const ROMEO = 'romeo@localhost/orchard';

/** Two clients that know their rosters and are available. */
async function couple(server: TestServer, juliet = JULIET, romeo = ROMEO) {
  const pair = { juliet: await server.online(juliet), romeo: await server.online(romeo) };
  await roster(pair.juliet);
  await roster(pair.romeo);
  return pair;
}

const conditionOf = (element: Awaited<ReturnType<typeof presenceOf>>) => element.child('error')?.firstChild?.name;

describe('a subscription', () => {
  it('is asked for, granted, and then presence comes', async () => {
    const { juliet, romeo } = await couple(await startServer());
    send(romeo, 'subscribe', 'juliet@localhost/some-resource', '<status>Let me in</status>');
    expect(await arrived(romeo)).toEqual(['push juliet@localhost none ask']);
    const request = await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    expect(request.toString()).toBe(
      "<presence xmlns='jabber:client' to='juliet@localhost' from='romeo@localhost' type='subscribe'><status>Let me in</status></presence>",
    );
    expect(await arrived(juliet)).toEqual([]); // it is in no roster yet

    send(juliet, 'subscribed', 'romeo@localhost');
    expect(await arrived(juliet)).toEqual(['push romeo@localhost from']);
    expect(await arrived(romeo)).toEqual([
      'presence subscribed juliet@localhost',
      'push juliet@localhost to',
      `presence available ${JULIET}`,
    ]);
    juliet.send('<presence><show>away</show></presence>');
    expect((await romeo.nextPresence(JULIET)).childText('show')).toBe('away');
    romeo.send('<presence><show>away</show></presence>');
    await romeo.sync();
    expect((await juliet.sync()).map((element) => element.attr('from'))).toEqual([JULIET]);
  });

  it('is refused', async () => {
    const { juliet, romeo } = await couple(await startServer());
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    send(juliet, 'unsubscribed', 'romeo@localhost');
    expect(await arrived(juliet)).toEqual([]);
    expect(await arrived(romeo)).toEqual([
      'push juliet@localhost none ask',
      'presence unsubscribed juliet@localhost',
      'push juliet@localhost none',
    ]);
  });

  it('goes both ways', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    await befriend(juliet, romeo);
    expect((await roster(juliet))?.elements.map(words)).toEqual(['romeo@localhost both']);
    expect((await roster(romeo))?.elements.map(words)).toEqual(['juliet@localhost both']);
  });

  it('that there is already is granted again without asking anybody', async () => {
    const { juliet, romeo } = await couple(await startServer());
    await befriend(juliet, romeo);
    send(romeo, 'subscribe', 'juliet@localhost');
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
  });

  it('heals where one side has forgotten it', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    send(romeo, 'subscribe', 'juliet@localhost');
    send(juliet, 'subscribed', 'romeo@localhost');
    await presenceOf(romeo, undefined, JULIET);
    await romeo.sync();
    send(romeo, 'unsubscribe', 'juliet@localhost');
    send(juliet, 'subscribed', 'romeo@localhost'); // allowed beforehand from now on
    await juliet.sync();
    await romeo.sync();
    send(romeo, 'subscribe', 'juliet@localhost');
    expect(await arrived(romeo)).toEqual([
      'push juliet@localhost none ask',
      'presence subscribed juliet@localhost',
      'push juliet@localhost to',
      `presence available ${JULIET}`,
    ]);
  });

  it('is cancelled by the one who has it', async () => {
    const { juliet, romeo } = await couple(await startServer());
    await befriend(juliet, romeo);
    send(romeo, 'unsubscribe', 'juliet@localhost');
    expect(await arrived(romeo)).toEqual(['push juliet@localhost from', `presence unavailable ${JULIET}`]);
    expect(await arrived(juliet)).toEqual(['presence unsubscribe romeo@localhost', 'push romeo@localhost to']);
    juliet.send('<presence/>');
    await juliet.sync();
    expect(await arrived(romeo)).toEqual([]);
  });

  it('is cancelled by the one who gave it', async () => {
    const { juliet, romeo } = await couple(await startServer());
    await befriend(juliet, romeo);
    send(juliet, 'unsubscribed', 'romeo@localhost');
    expect(await arrived(juliet)).toEqual(['push romeo@localhost to']);
    expect(await arrived(romeo)).toEqual([
      `presence unavailable ${JULIET}`,
      'presence unsubscribed juliet@localhost',
      'push juliet@localhost from',
    ]);
    juliet.send('<presence/>');
    await juliet.sync();
    expect(await arrived(romeo)).toEqual([]);
  });

  it('goes to all resources that are there, and its end to those that know the roster', async () => {
    const server = await startServer();
    const romeo = await server.online(ROMEO);
    const available = await server.online('juliet@localhost/available');
    const interested = await server.client('juliet@localhost/interested');
    const neither = await server.client('juliet@localhost/neither');
    await roster(interested);
    send(romeo, 'subscribe', 'juliet@localhost');
    await romeo.sync();
    expect(await arrived(available)).toEqual(['presence subscribe romeo@localhost']);
    expect(await arrived(interested)).toEqual([]);
    send(romeo, 'unsubscribe', 'juliet@localhost');
    await romeo.sync();
    expect(await arrived(available)).toEqual([]);
    expect(await arrived(interested)).toEqual(['presence unsubscribe romeo@localhost']);
    expect(await arrived(neither)).toEqual([]);
  });

  it('is the same between two domains of the server', async () => {
    const server = await startServer({ config: { domains: ['montague.example', 'capulet.example'] } });
    const { juliet, romeo } = await couple(server, 'juliet@capulet.example/balcony', 'romeo@montague.example/orchard');
    const namesake = await server.online('romeo@capulet.example/orchard');
    await befriend(juliet, romeo);
    expect((await roster(juliet))?.elements.map(words)).toEqual(['romeo@montague.example both']);
    juliet.send('<presence><show>dnd</show></presence>');
    expect((await romeo.nextPresence(juliet.jid)).childText('show')).toBe('dnd');
    expect(await arrived(namesake)).toEqual([]);
  });

  it('is for others than oneself, and for somebody', async () => {
    const server = await startServer();
    const { juliet } = await couple(server);
    send(juliet, 'subscribe', 'juliet@localhost/chamber');
    expect(conditionOf(await presenceOf(juliet, 'error', 'juliet@localhost/chamber'))).toBe('not-allowed');
    juliet.send(`<presence type='subscribe' id='x'/>`);
    const error = await juliet.take((element) => element.attr('id') === 'x');
    expect(conditionOf(error)).toBe('bad-request');
    expect((await roster(juliet))?.children).toEqual([]);
  });

  it('to nobody is never answered', async () => {
    const server = await startServer();
    const { juliet } = await couple(server);
    send(juliet, 'subscribe', 'nobody@localhost');
    expect(await arrived(juliet)).toEqual(['push nobody@localhost none ask']);
    for (const type of ['subscribed', 'unsubscribe', 'unsubscribed']) send(juliet, type, 'stranger@localhost');
    expect((await arrived(juliet)).filter((word) => !word.startsWith('push'))).toEqual([]);
  });

  it('cannot be claimed: "subscribed" from somebody who was not asked means nothing', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    send(romeo, 'subscribed', 'juliet@localhost');
    await romeo.sync();
    expect(await arrived(juliet)).toEqual([]);
    expect((await roster(juliet))?.children).toEqual([]);
  });
});

describe('a request', () => {
  it('waits for its recipient, whole, at every login until it is answered', async () => {
    const server = await startServer();
    await server.account('juliet@localhost');
    const romeo = await server.online(ROMEO);
    const nick = "<nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick>";
    send(romeo, 'subscribe', 'juliet@localhost', nick);
    send(romeo, 'subscribe', 'juliet@localhost', '<status>again</status>');
    await romeo.sync();
    for (const resource of ['a', 'b']) {
      const juliet = await appear(server, `juliet@localhost/${resource}`);
      const request = await presenceOf(juliet, 'subscribe', 'romeo@localhost');
      expect(request.childText('nick', 'http://jabber.org/protocol/nick')).toBe('Romeo');
      await juliet.sync();
      juliet.send('<presence><show>away</show></presence>'); // a later presence brings it no second time
      expect(await arrived(juliet)).toEqual([`presence available ${juliet.jid}`]);
      await juliet.close();
    }
    const juliet = await appear(server, JULIET);
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    send(juliet, 'subscribed', 'romeo@localhost');
    await juliet.close();
    const later = await appear(server, JULIET);
    expect(await arrived(later)).toEqual([`presence available ${JULIET}`]);
  });

  it('that was seen, yet not answered, comes again', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    await juliet.close();
    const later = await appear(server, JULIET);
    await presenceOf(later, 'subscribe', 'romeo@localhost');
  });

  it('that was taken back comes no more', async () => {
    const server = await startServer();
    await server.account('juliet@localhost');
    const romeo = await server.online(ROMEO);
    send(romeo, 'subscribe', 'juliet@localhost');
    send(romeo, 'unsubscribe', 'juliet@localhost');
    await romeo.sync();
    expect(await arrived(await appear(server, JULIET))).toEqual([`presence available ${JULIET}`]);
  });

  it('is kept without what is too large in it', async () => {
    const server = await startServer({ config: { roster: { maxRequestBytes: 200 } } });
    await server.account('juliet@localhost');
    const romeo = await server.online(ROMEO);
    romeo.send(
      `<presence type='subscribe' to='juliet@localhost' x='${'y'.repeat(200)}'><status>${'z'.repeat(200)}</status></presence>`,
    );
    await romeo.sync();
    const juliet = await appear(server, JULIET);
    expect((await presenceOf(juliet, 'subscribe', 'romeo@localhost')).toString()).toBe(
      "<presence xmlns='jabber:client' to='juliet@localhost' from='romeo@localhost' type='subscribe'/>",
    );
  });

  it('finds no room among too many others', async () => {
    const server = await startServer({ config: { roster: { maxRequests: 2 } } });
    await server.account('juliet@localhost');
    for (const name of ['a', 'b', 'c']) {
      const stranger = await server.online(`${name}@localhost/x`);
      send(stranger, 'subscribe', 'juliet@localhost');
      await stranger.close();
    }
    const juliet = await appear(server, JULIET);
    await presenceOf(juliet, 'subscribe', 'a@localhost');
    await presenceOf(juliet, 'subscribe', 'b@localhost');
    expect(await arrived(juliet)).toEqual([`presence available ${JULIET}`]);
    expect(server.exceeded('roster-requests')).toBe(1);
    // it is not lost for ever: the one who asked asks again when they come back
    send(juliet, 'unsubscribed', 'a@localhost');
    await juliet.sync();
    const again = await server.online('c@localhost/x');
    await presenceOf(juliet, 'subscribe', 'c@localhost');
    await again.close();
  });

  it('that got lost is asked again when its sender comes back', async () => {
    const server = await startServer();
    const romeo = await server.online(ROMEO);
    send(romeo, 'subscribe', 'juliet@localhost'); // there is no such account yet
    await romeo.sync();
    const juliet = await server.online(JULIET);
    await server.online('romeo@localhost/chamber');
    expect(await arrived(juliet)).toEqual([]); // another resource is there already
    await romeo.close();
    await server.online('romeo@localhost/chamber'); // replaces the other
    expect(await arrived(juliet)).toEqual(['presence subscribe romeo@localhost']);
  });

  it('that was answered while nobody was there has its effect', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    await romeo.close();
    send(juliet, 'subscribed', 'romeo@localhost');
    await juliet.sync();
    const later = await appear(server, ROMEO);
    expect((await roster(later))?.elements.map(words)).toEqual(['juliet@localhost to']);
    expect(await arrived(later)).toEqual([`presence available ${ROMEO}`, `presence available ${JULIET}`]);
  });
});

describe('pre-approval', () => {
  it('lets somebody in without being asked', async () => {
    const { juliet, romeo } = await couple(await startServer());
    send(juliet, 'subscribed', 'romeo@localhost/any');
    expect(await arrived(juliet)).toEqual(['push romeo@localhost none approved']);
    expect(await arrived(romeo)).toEqual([]);
    send(romeo, 'subscribe', 'juliet@localhost');
    expect(await arrived(romeo)).toEqual([
      'push juliet@localhost none ask',
      'presence subscribed juliet@localhost',
      'push juliet@localhost to',
      `presence available ${JULIET}`,
    ]);
    expect(await arrived(juliet)).toEqual(['push romeo@localhost from approved']);
  });

  it('works while nobody is there', async () => {
    const server = await startServer();
    const { juliet, romeo } = await couple(server);
    await setRoster(juliet, `<item jid='romeo@localhost' name='Romeo'/>`);
    send(juliet, 'subscribed', 'romeo@localhost');
    await juliet.close();
    send(romeo, 'subscribe', 'juliet@localhost');
    expect((await arrived(romeo)).at(-1)).toBe('push juliet@localhost to');
    const later = await server.client(JULIET);
    const item = (await roster(later))?.firstChild;
    expect([item && words(item), item?.attr('name')]).toEqual(['romeo@localhost from approved', 'Romeo']);
  });

  it('can be taken back', async () => {
    const { juliet, romeo } = await couple(await startServer());
    send(juliet, 'subscribed', 'romeo@localhost');
    expect(words(await push(juliet))).toBe('romeo@localhost none approved');
    send(juliet, 'unsubscribed', 'romeo@localhost');
    expect(words(await push(juliet))).toBe('romeo@localhost none');
    send(romeo, 'subscribe', 'juliet@localhost');
    await presenceOf(juliet, 'subscribe', 'romeo@localhost');
    expect(await arrived(romeo)).toEqual(['push juliet@localhost none ask']);
  });
});
