import type { Node } from '@parley/server/node';
import { Peer } from '@parley/server/s2s/incoming-testing';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, vi } from 'vitest';
import type { MemoryTransport } from './memory-transport.ts';
import type { ServerLink } from './resuming-server.ts';

/**
 * A stream of another server to a node, in memory; `show` has it show the certificate by which it proves who it is (see
 * `showing`).
 */
export async function memoryLink(
  node: Node,
  from: string,
  to: string,
  show: (transport: MemoryTransport) => void,
): Promise<ServerLink> {
  const peer = new Peer();
  show(peer.transport);
  node.federation.servers.incoming.acceptance.accept(peer.transport, true);
  peer.open(from, to);
  await vi.waitFor(() => expect(peer.inbox.length).toBe(1));
  peer.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
  peer.open(from, to);
  await vi.waitFor(() => expect(peer.inbox.length).toBe(3));
  const inbox: Element[] = [];
  let came: (() => void) | undefined;
  peer.onElement = (element) => {
    inbox.push(element);
    came?.();
  };
  return {
    send: (text) => peer.send(text),
    async next() {
      while (inbox.length === 0 && !peer.closed) {
        await new Promise<void>((resolve) => {
          came = resolve;
        });
      }
      return inbox.shift();
    },
    break() {
      peer.transport.break();
      came?.();
    },
  };
}
