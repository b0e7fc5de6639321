import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { MemoryTransport } from '../../../../tests/support/memory-transport.ts';
import type { ComponentConfiguration } from '../config/components.ts';
import { ComponentStream, type ComponentStreamHost } from './component-stream.ts';

const LIMITS = { maxBytes: 10_000, maxElements: 100, maxDepth: 10, maxAttributes: 20, maxNameLength: 100 };
const component = { domain: 'irc.a.lit', secret: 'secret' } as ComponentConfiguration;

test('a component that never reads is cut off, though what it hears is of its own faults alone', () => {
  const nothing = () => {};
  const onLimit = vi.fn();
  const host: ComponentStreamHost = {
    component: () => component,
    serving: () => component,
    hasRoom: () => true,
    limitsBefore: LIMITS,
    limitsAfter: LIMITS,
    timeouts: { authenticateMs: 1000, closeMs: 1000 },
    rate: () => ({ perSecond: 1_000_000, burst: 1_000_000 }),
    queue: () => ({ maxStanzas: 100, maxBytes: 100_000 }),
    onOpen: nothing,
    onStanza: nothing,
    onWritten: nothing,
    onBytes: nothing,
    onText: nothing,
    errorFor: () => undefined,
    onError: nothing,
    onLimit: (_, limit) => onLimit(limit),
    onFault: (fault) => {
      throw fault;
    },
    onEnd: nothing,
    onDisconnect: nothing,
  };
  const transport = new MemoryTransport();
  let said = '';
  transport.onText = (text) => {
    said += text;
  };
  const stream = new ComponentStream(transport, host);
  const send = (text: string) => transport.push(Buffer.from(text));
  send(
    `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='irc.a.lit'>`,
  );
  const id = / id='([^']*)'/.exec(said)?.[1] ?? '';
  send(`<handshake>${createHash('sha1').update(`${id}secret`).digest('hex')}</handshake>`);
  expect(stream.open).toBe(true);
  const faulty = `<message from='irc.a.lit' to='@'/>`;
  send(faulty);
  expect(said).toContain('<jid-malformed');
  transport.buffered = 200_000;
  send(faulty);
  expect([stream.ended, onLimit.mock.calls]).toEqual([true, [['component-queue-bytes']]]);
});
