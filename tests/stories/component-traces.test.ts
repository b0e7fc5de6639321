import { expect, it } from 'vitest';
import { SECRET, startComponent } from '../support/component.ts';
import { startServer } from '../support/server.ts';
import { attributesOf, Traces } from '../support/traces.ts';

const GATEWAY = 'irc.localhost';
const BODY = 'It is the east';

async function start() {
  const traces = new Traces();
  const config = { components: [{ domain: GATEWAY, secret: SECRET }] };
  const server = await startServer({ config, tracing: traces.tracing });
  const romeo = await server.client('romeo@localhost/orchard'); // on the first of the nodes
  const component = await startComponent(server, GATEWAY, server.nodes.at(-1));
  return { traces, server, romeo, component, alone: server.nodes.length === 1 };
}

it('what a client sends is followed to the bytes for the component, whichever node has it', async () => {
  const { traces, romeo, component, alone } = await start();
  romeo.send(`<message to='nurse@${GATEWAY}' type='headline'><body>${BODY}</body></message>`);
  expect((await component.next()).childText('body')).toBe(BODY);
  const root = await traces.stanza('headline', 'c2s');
  const write = await traces.step(root, 'xmpp.write');
  expect(attributesOf(write)).toEqual({ 'xmpp.connection.type': 'component' });
  if (alone) {
    expect(traces.steps(root)).toEqual(['xmpp.parse', 'xmpp.route', 'xmpp.write']);
    expect(write.parentId).toBe(root.spanId);
  } else {
    const deliver = await traces.step(root, 'xmpp.deliver');
    const hop = await traces.step(root, 'xmpp.hop');
    expect(traces.steps(root)).toEqual(['xmpp.hop', 'xmpp.parse', 'xmpp.route']);
    expect([deliver.parentId, write.parentId]).toEqual([hop.spanId, deliver.spanId]);
    expect(attributesOf(hop)).toEqual({ 'parley.notice': 'component.stanza' });
    expect(attributesOf(deliver)).toEqual({ 'parley.notice': 'component.stanza' });
  }
  const told = JSON.stringify(traces.spans.map(({ name, attributes }) => [name, attributes]));
  for (const word of ['romeo', 'nurse', 'irc', BODY]) expect(told).not.toContain(word);
});

it('what a component sends is followed from its bytes to those for the client', async () => {
  const { traces, romeo, component, alone } = await start();
  component.send(
    `<message from='nurse@${GATEWAY}' to='romeo@localhost/orchard' type='headline'><body>${BODY}</body></message>`,
  );
  expect((await romeo.nextMessage()).childText('body')).toBe(BODY);
  const root = await traces.stanza('headline', 'component');
  const write = await traces.step(root, 'xmpp.write');
  expect(attributesOf(root)).toEqual({
    'xmpp.connection.type': 'component',
    'xmpp.stanza.kind': 'message',
    'xmpp.stanza.type': 'headline',
  });
  expect(attributesOf(write)).toEqual({ 'xmpp.connection.type': 'c2s' });
  const here = ['xmpp.parse', 'xmpp.route'];
  expect(traces.steps(root)).toEqual(alone ? [...here, 'xmpp.write'] : ['xmpp.hop', ...here]);
  expect((await traces.step(root, 'xmpp.parse')).startedAt).toBe(root.startedAt);
});

it('what waits for a component that does not read is told when it has it', async () => {
  const { traces, romeo, component } = await start();
  component.transport.blocked = true;
  romeo.send(`<message to='nurse@${GATEWAY}' type='headline'><body>${BODY}</body></message>`);
  const root = await traces.stanza('headline', 'c2s');
  expect(traces.spans.filter(({ name, traceId }) => name === 'xmpp.write' && traceId === root.traceId)).toEqual([]);
  component.transport.blocked = false;
  const write = await traces.step(root, 'xmpp.write');
  expect(write).toMatchObject({ traceId: root.traceId, failed: false });
});

it('what a component did not get before it went says so', async () => {
  const { traces, server, romeo, component } = await start();
  component.transport.blocked = true;
  romeo.send(`<message to='nurse@${GATEWAY}' type='headline'><body>${BODY}</body></message>`);
  const root = await traces.stanza('headline', 'c2s');
  await server.settled(); // it waits at the component's node
  component.close();
  const write = await traces.step(root, 'xmpp.write');
  expect(attributesOf(write)).toMatchObject({ 'error.type': 'disconnected' });
});
