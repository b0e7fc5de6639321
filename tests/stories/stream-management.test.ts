import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { acknowledge, enable, expire, handled, resume, say } from '../support/resumption.ts';
import { startServer } from '../support/server.ts';

const SM = NS.streamManagement;
const body = (stanza: Element) => stanza.childText('body') ?? stanza.name;

/** What came beside requests for acknowledgement. */
const stanzas = (elements: readonly Element[]) => elements.filter((element) => element.ns !== SM);

describe('acknowledgements', () => {
  it('count what the server has handled', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    await server.account('romeo@localhost');
    expect((await enable(juliet, '')).attributes).toEqual([]);
    expect(await handled(juliet)).toBe('0');
    juliet.send('<presence/>');
    say(juliet, 'romeo@localhost', 'one');
    juliet.send(`<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`);
    juliet.send(`<message to='@'/>`);
    expect(await handled(juliet)).toBe('4');
    // and so does the client: its presence is answered to itself, the ping, and what is no address
    await juliet.sync();
    acknowledge(juliet, 4);
    await juliet.sync();
  });

  it('are asked for, once at a time', async () => {
    const server = await startServer();
    const juliet = await server.online('juliet@localhost/balcony');
    const romeo = await server.client('romeo@localhost/orchard');
    await enable(juliet, '');
    say(romeo, juliet.jid, 'one');
    say(romeo, juliet.jid, 'two');
    await romeo.sync();
    const came = await juliet.sync();
    expect(came.map((element) => element.name)).toEqual(['message', 'r', 'message']);
    acknowledge(juliet, 1);
    expect((await juliet.next()).name).toBe('r');
  });

  it('of more than was sent end the stream', async () => {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    await enable(juliet);
    acknowledge(juliet, 3);
    const error = await juliet.take((element) => element.name === 'error');
    expect(error.child('undefined-condition', NS.streamErrors)).toBeDefined();
    expect(error.child('handled-count-too-high', SM)?.attr('send-count')).toBe('0');
    await juliet.closed;
  });

  it('are refused in the wrong order', async () => {
    const server = await startServer();
    const unbound = await server.authenticated('juliet@localhost');
    expect((await enable(unbound)).child('unexpected-request', NS.stanzas)).toBeDefined();
    const juliet = await server.client('juliet@localhost/balcony');
    juliet.send(`<r xmlns='${SM}'/>`);
    expect((await juliet.next()).name).toBe('failed');
    await enable(juliet);
    expect((await enable(juliet)).name).toBe('failed');
  });

  it('are offered where a resource can be bound', async () => {
    const server = await startServer();
    expect((await server.client('juliet@localhost')).features?.child('sm', SM)).toBeDefined();
    const stranger = server.connect();
    stranger.open('localhost');
    expect((await stranger.next()).child('sm', SM)).toBeUndefined();
  });
});

describe('a session whose connection is lost', () => {
  async function lost() {
    const server = await startServer();
    const juliet = await server.client('juliet@localhost/balcony');
    const romeo = await server.online('romeo@localhost/orchard');
    const enabled = await enable(juliet);
    const id = enabled.attr('id') as string;
    juliet.send('<presence/>');
    await juliet.sync();
    return { server, juliet, romeo, id, enabled };
  }

  it('goes on where it was, with all that came meanwhile, once and in order', async () => {
    const { server, juliet, romeo, id, enabled } = await lost();
    expect([enabled.attr('resume'), enabled.attr('max')]).toEqual(['true', '300']);
    say(romeo, juliet.jid, 'one');
    say(romeo, 'juliet@localhost', 'two');
    await romeo.sync();
    expect(stanzas(await juliet.sync()).map(body)).toEqual(['one', 'two']);
    juliet.break();
    say(romeo, juliet.jid, 'three');
    say(romeo, 'juliet@localhost', 'four');
    await romeo.sync();
    // it has got: its own presence, the answer to its first sync, "one", and not "two"
    const { client, answer } = await resume(server, juliet.jid, id, 3);
    expect([answer.name, answer.attr('previd'), answer.attr('h')]).toEqual(['resumed', id, '3']);
    const again = stanzas(await client.sync()).map(body);
    expect(again.filter((text) => text !== 'iq')).toEqual(['two', 'three', 'four']);
    say(client, 'romeo@localhost', 'back');
    expect(body(await romeo.nextMessage(juliet.jid))).toBe('back');
  });

  it('stays in everybody’s sight', async () => {
    const { server, juliet, romeo } = await lost();
    juliet.send(`<presence to='${romeo.jid}'/>`);
    await romeo.nextPresence(juliet.jid);
    juliet.break();
    await romeo.sync();
    expect(await romeo.sync()).toEqual([]);
    expect(server.sessions).toHaveLength(2);
  });

  it('is taken from a connection that looks alive', async () => {
    const { server, juliet, id } = await lost();
    const { client, answer } = await resume(server, juliet.jid, id, 2);
    expect(answer.name).toBe('resumed');
    const error = await juliet.take((element) => element.name === 'error');
    expect(error.child('conflict', NS.streamErrors)).toBeDefined();
    await juliet.closed;
    await server.settled();
    expect(server.sessions).toHaveLength(2);
    await client.sync();
  });

  it('is nobody else’s, and nobody guesses its name', async () => {
    const { server, juliet, id } = await lost();
    juliet.break();
    for (const [jid, name] of [
      ['romeo@localhost/orchard', id],
      ['juliet@localhost/balcony', `${id.slice(0, 16)}AAAAAAAAAAAAAAAAAAAAAA`],
      ['juliet@localhost/balcony', 'x'],
      ['juliet@localhost/balcony', ''],
    ] as const) {
      const { client, answer } = await resume(server, jid, name, 0);
      expect(answer.child('item-not-found', NS.stanzas)).toBeDefined();
      client.break();
    }
    expect((await resume(server, juliet.jid, id, 0)).answer.name).toBe('resumed');
  });

  it('ends when its client closes the stream, and tells how much it handled', async () => {
    const { server, juliet, romeo, id } = await lost();
    juliet.send(`<presence to='${romeo.jid}'/>`);
    expect(await handled(juliet)).toBe('3');
    await juliet.close();
    await romeo.take((element) => element.attr('type') === 'unavailable');
    const { answer, client } = await resume(server, juliet.jid, id, 0);
    expect([answer.name, answer.attr('h')]).toEqual(['failed', '3']);
    // §5: it may bind a resource all the same
    expect((await client.request('set', `<bind xmlns='${NS.bind}'/>`)).attr('type')).toBe('result');
  });

  it('leaves what was not acknowledged to another resource, or to the offline storage', async () => {
    const { server, juliet, romeo } = await lost();
    juliet.break();
    say(romeo, juliet.jid, 'one');
    await romeo.sync();
    await expire(server, juliet.jid);
    const chamber = await server.client('juliet@localhost/chamber');
    chamber.send('<presence/>');
    const message = await chamber.nextMessage();
    expect(body(message)).toBe('one');
    expect(message.child('delay', NS.delay)).toBeDefined();
    expect(stanzas(await chamber.sync()).filter((stanza) => stanza.name === 'message')).toEqual([]);
  });
});
