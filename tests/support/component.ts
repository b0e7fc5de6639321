import { createHash } from 'node:crypto';
import { Components } from '@parley/server/components/components';
import type { Node } from '@parley/server/node';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { TestClient } from './client.ts';
import { MemoryTransport } from './memory-transport.ts';
import type { TestServer } from './server.ts';
import { memoryWire } from './wires.ts';

export const SECRET = 'known to the component';

/** What a component says to prove that it knows the secret. */
export const handshake = (streamId: string, secret = SECRET): string =>
  `<handshake>${createHash('sha1')
    .update(streamId + secret)
    .digest('hex')}</handshake>`;

export const componentHeader = (domain: string, ns: string = NS.component): string =>
  `<?xml version='1.0'?><stream:stream xmlns='${ns}' xmlns:stream='${NS.streams}' to='${domain}'>`;

/** A scripted component. */
export class TestComponent extends TestClient {
  readonly transport: MemoryTransport;
  readonly domain: string;
  #ids = 0;

  constructor(transport: MemoryTransport, domain: string) {
    super(memoryWire(transport));
    this.transport = transport;
    this.domain = domain;
  }

  /** Proves that it knows the secret, and resolves when the server has taken it in. */
  async authenticate(secret = SECRET): Promise<this> {
    this.send(componentHeader(this.domain));
    this.send(handshake(this.header?.attr('id') ?? '', secret));
    await this.take(({ name }) => name === 'handshake');
    return this;
  }

  /** Sends a request and resolves with its result or error. */
  async ask(from: string, to: string, type: 'get' | 'set', content: string): Promise<Element> {
    const id = `c${++this.#ids}`;
    this.send(`<iq from='${from}' to='${to}' type='${type}' id='${id}'>${content}</iq>`);
    return this.take((element) => element.name === 'iq' && element.attr('id') === id);
  }
}

/** A connection in memory to a node, on which nothing was sent yet. */
export function connectComponent(node: Node, domain: string, address?: string): TestComponent {
  const transport = new MemoryTransport();
  if (address !== undefined) transport.remoteAddress = address;
  transport.tls = undefined;
  const component = new TestComponent(transport, domain);
  (node.offers.get(Components) as Components).accept(transport);
  return component;
}

/** A component that is connected to one of the nodes, of which all know. */
export async function startComponent(server: TestServer, domain: string, node = server.node): Promise<TestComponent> {
  const component = await connectComponent(node, domain).authenticate();
  await server.settled();
  return component;
}
