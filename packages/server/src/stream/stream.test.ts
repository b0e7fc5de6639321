import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryTransport } from '../../../../tests/support/memory-transport.ts';
import type { Awaitable } from '../pipeline.ts';
import { clientRole } from './client-role.ts';
import { type StreamFeature, StreamFeatures } from './features.ts';
import { startTls } from './starttls.ts';
import { Stream } from './stream.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import type { StreamHost } from './stream-host.ts';

const LIMITS = { maxBytes: 10_000, maxElements: 100, maxDepth: 8, maxAttributes: 16, maxNameLength: 1024 };
const header = (attributes = `to='capulet.lit' version='1.0'`, ns: string = NS.client) =>
  `<?xml version='1.0'?><stream:stream ${attributes} xmlns='${ns}' xmlns:stream='${NS.streams}'>`;
const juliet = Jid.parse('juliet@capulet.lit');

/** A feature whose elements are handled as the test says. */
const NS_TEST = 'urn:example:test';

interface Harness {
  readonly stream: Stream;
  readonly transport: MemoryTransport;
  /** What the server sent since it was last asked. */
  sent(): string;
  push(text: string): void;
  readonly ends: string[];
  readonly faults: unknown[];
  readonly errors: string[];
  readonly limits: string[];
}

function start(options: { handle?: StreamFeature['handle']; onBytes?: (count: number) => number } = {}): Harness {
  const transport = new MemoryTransport();
  let text = '';
  transport.onText = (more) => {
    text += more;
  };
  const ends: string[] = [];
  const faults: unknown[] = [];
  const errors: string[] = [];
  const limits: string[] = [];
  const features = new StreamFeatures();
  features.add(startTls(() => true));
  if (options.handle) features.add({ ns: NS_TEST, handle: options.handle });
  const host: StreamHost = {
    role: clientRole,
    features,
    domain: (name) => (name === 'capulet.lit' || name === 'montague.lit' ? name : undefined),
    limitsBefore: LIMITS,
    limitsAfter: { ...LIMITS, maxBytes: 20_000 },
    timeouts: { authenticateMs: 30_000, bindMs: 20_000, closeMs: 5000 },
    acceptOldVersion: false,
    onFault: (error) => faults.push(error),
    onBytes: (_, count) => options.onBytes?.(count) ?? 0,
    onWritten: () => {},
    onAuthenticated() {},
    onHandshake() {},
    onEnd: () => ends.push('end'),
    onDisconnect() {},
    onError: (_, { condition }) => errors.push(condition),
    onLimit: (_, limit) => limits.push(limit),
  };
  const stream = new Stream(transport, host);
  const sent = () => {
    const now = text;
    text = '';
    return now;
  };
  return { stream, transport, sent, push: (more) => transport.push(Buffer.from(more)), ends, faults, errors, limits };
}

/** A stream on which a resource is bound; `receive` gets what comes. */
function bound(receive: (element: Element, harness: Harness) => Awaitable<void>, options = {}): Harness {
  const harness = start(options);
  harness.push(header());
  harness.stream.authenticated(juliet, 'TEST');
  const consumer: StreamConsumer = {
    receive: (element) => receive(element, harness),
    onStreamEnd: (reason) => harness.ends.push(reason),
  };
  harness.stream.bind(consumer);
  harness.sent();
  return harness;
}

/** All promises that wait for nothing have gone on. */
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a header', () => {
  it('is answered by a header and features', () => {
    const { stream, push, sent, transport } = start();
    transport.tls = undefined;
    push(header());
    expect(sent()).toBe(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='${stream.id}' from='capulet.lit' version='1.0' xml:lang='en'>` +
        `<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`,
    );
    expect(stream.id).toMatch(/^[\w-]{16}$/);
  });

  it.each([
    ['no domain', header(`version='1.0'`), 'improper-addressing'],
    ['another domain', header(`to='verona.lit' version='1.0'`), 'host-unknown'],
    ['no address', header(`to='@' version='1.0'`), 'host-unknown'],
    ['an account', header(`to='a@capulet.lit' version='1.0'`), 'host-unknown'],
    ['no version', header(`to='capulet.lit'`), 'unsupported-version'],
    ['a version before 1.0', header(`to='capulet.lit' version='0.9'`), 'unsupported-version'],
    ['no version that is one', header(`to='capulet.lit' version='1.x'`), 'unsupported-version'],
    ['the namespace of servers', header(undefined, NS.server), 'invalid-namespace'],
    ['no content namespace', `<s:stream to='capulet.lit' version='1.0' xmlns:s='${NS.streams}'>`, 'invalid-namespace'],
    ['another namespace', `<stream to='capulet.lit' version='1.0' xmlns='${NS.client}'>`, 'invalid-namespace'],
    ['another name', header().replace('<stream:stream', '<stream:strom'), 'bad-format'],
    ['nothing', '<', undefined],
    ['no XML', 'GET / HTTP/1.1\r\n', 'not-well-formed'],
  ])('with %s is refused, behind a header of ours', (_, text, condition) => {
    const { push, sent, errors, ends, stream } = start();
    push(text);
    if (condition === undefined) {
      expect([sent(), stream.closed]).toEqual(['', false]);
      return;
    }
    expect(errors).toEqual([condition]);
    expect(sent()).toMatch(
      new RegExp(
        `^<\\?xml version='1.0'\\?><stream:stream [^>]*><stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>.*</stream:error></stream:stream>$`,
      ),
    );
    expect(ends).toEqual(['end']);
  });

  it('may not name another domain nor another sender after authentication', () => {
    for (const attributes of [
      `to='montague.lit' version='1.0'`,
      `to='capulet.lit' from='romeo@capulet.lit' version='1.0'`,
    ]) {
      const { push, stream, errors } = start();
      push(header());
      stream.authenticated(juliet, 'TEST');
      stream.restart();
      push(header(attributes));
      expect(errors).toEqual(['invalid-from']);
    }
  });

  it('shows nothing of the sender but an address', () => {
    const { push, sent } = start();
    push(header(`to='capulet.lit' from="ju'li&lt;et@capulet.lit/x" version='1.0'`));
    expect(sent()).not.toContain(' to=');
  });
});

describe('before a resource is bound', () => {
  it.each([
    ['a message', `<message to='romeo@montague.lit'><body>x</body></message>`, 'not-authorized'],
    ['presence', '<presence/>', 'not-authorized'],
    ['a request of an account', `<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>`, 'not-authorized'],
    ['a request for nothing', `<iq type='get' id='1'/>`, 'not-authorized'],
    ['an unknown element', `<a xmlns='urn:a'/>`, 'unsupported-stanza-type'],
    ['a stanza of servers', `<message xmlns='jabber:server'/>`, 'unsupported-stanza-type'],
    ['another header', header().replace(/^<\?.*\?>/, ''), undefined],
    ['a comment', '<!-- -->', 'restricted-xml'],
  ])('%s ends the stream', (_, text, condition) => {
    const { push, errors, sent, stream } = start();
    push(header());
    sent();
    push(`${text}</stream:stream><message/>`);
    expect(errors).toEqual([condition ?? 'unsupported-stanza-type']);
    expect(stream.closed).toBe(true);
  });

  it('there is one identity', () => {
    const { stream } = start();
    stream.authenticated(juliet, 'TEST');
    expect(() => stream.authenticated(Jid.parse('romeo@capulet.lit'), 'TEST')).toThrow('one identity');
    expect(stream.identity).toBe(juliet);
  });

  it('time is limited, however busy the stream is kept', () => {
    const { push, errors, stream, limits } = start();
    push(header());
    for (let second = 1; second < 30; second++) {
      vi.advanceTimersByTime(1000);
      push(' ');
    }
    expect(stream.closed).toBe(false);
    vi.advanceTimersByTime(1000);
    expect([errors, limits]).toEqual([['connection-timeout'], ['authenticate-time']]);
  });

  it('time stands still while the peer waits for its turn, and goes on then', async () => {
    const { push, errors, stream, limits } = start();
    push(header());
    vi.advanceTimersByTime(10_000);
    const turn = Promise.withResolvers<void>();
    const waited = stream.untimed(turn.promise);
    vi.advanceTimersByTime(100_000);
    turn.resolve();
    await waited;
    vi.advanceTimersByTime(19_999);
    expect(errors).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([errors, limits]).toEqual([['connection-timeout'], ['authenticate-time']]);
  });

  it('time is limited after authentication, too, and not any more once a resource is bound', () => {
    const unbound = start();
    unbound.push(header());
    vi.advanceTimersByTime(29_999);
    unbound.stream.authenticated(juliet, 'TEST');
    vi.advanceTimersByTime(19_999);
    expect(unbound.stream.closed).toBe(false);
    vi.advanceTimersByTime(1);
    expect([unbound.errors, unbound.limits]).toEqual([['connection-timeout'], ['bind-time']]);

    const { stream } = bound(() => {});
    vi.advanceTimersByTime(10_000_000);
    expect(stream.closed).toBe(false);
  });
});

describe('a restart', () => {
  const authenticate = (stream: Stream) => {
    stream.authenticated(juliet, 'TEST');
    stream.restart();
  };

  it.each([
    ['nothing', '', undefined],
    ['white space', ' \r\n', undefined],
    ['a stanza', '<iq/>', 'policy-violation'],
    ['half a stanza', '<iq', 'policy-violation'],
    ['a header', header(), 'not-well-formed'],
  ])('follows an element with %s behind it', async (_, behind, condition) => {
    const { push, errors, sent } = start({ handle: (stream) => settled().then(() => authenticate(stream)) });
    push(header());
    push(`<auth xmlns='${NS_TEST}'/>${behind}`);
    await settled();
    sent();
    push(header());
    expect(errors).toEqual(condition === undefined ? [] : [condition]);
    expect(sent().includes(` to='juliet@capulet.lit'`)).toBe(condition === undefined);
  });

  it('of TLS leaves nothing of what came in clear text', async () => {
    const { push, errors, stream, transport } = start();
    const handshake = Promise.withResolvers<void>();
    transport.startTls = () => handshake.promise;
    transport.tls = undefined;
    push(header());
    push(`<starttls xmlns='${NS.tls}'/><message/><!-- --></never></stream:stream>`);
    expect([errors, stream.closed]).toEqual([[], false]);
    transport.tls = { protocol: 'TLSv1.3', cipher: '', serverName: undefined };
    handshake.resolve();
    await settled();
    push(header());
    expect([errors, stream.closed, stream.reading]).toEqual([[], false, true]);
  });
});

describe('while a handler waits, or the peer has used up its rate', () => {
  const number = (element: Element) => Number(element.attr('id'));
  const stanzas = (...ids: number[]) => ids.map((id) => `<iq id='${id}'/>`).join('');

  it('what one read brought waits, too, and order is kept', async () => {
    const seen: number[] = [];
    const waits: (() => void)[] = [];
    const { push } = bound((element, { stream }) => {
      seen.push(number(element));
      if (number(element) === 2) stream.throttle(1000);
      if (number(element) === 4) return new Promise((resolve) => waits.push(resolve));
    });
    push(stanzas(1, 2, 3, 4, 5));
    push(stanzas(6));
    expect(seen).toEqual([1, 2]);
    vi.advanceTimersByTime(999);
    expect(seen).toEqual([1, 2]);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual([1, 2, 3, 4]);
    waits[0]?.();
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4, 5, 6]));
  });

  it('the longer of two times counts', () => {
    const seen: number[] = [];
    const rest = (element: Element, { stream }: Harness) => {
      seen.push(number(element));
      if (number(element) === 1) stream.throttle(1000);
    };
    const { push } = bound(rest, { onBytes: () => 10 });
    vi.advanceTimersByTime(10);
    push(stanzas(1, 2));
    vi.advanceTimersByTime(999);
    expect(seen).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual([1, 2]);
  });

  it('the end of the stream waits behind what came before it', () => {
    const seen: number[] = [];
    const { push, ends } = bound((element, { stream }) => {
      seen.push(number(element));
      stream.throttle(1000);
    });
    push(`${stanzas(1, 2)}</stream:stream>`);
    expect([seen, ends]).toEqual([[1], []]);
    vi.advanceTimersByTime(1000);
    expect([seen, ends]).toEqual([[1, 2], []]);
    vi.advanceTimersByTime(1000);
    expect(ends).toEqual(['end', 'closed by the client']);
  });

  it('an end by an error does not wait, and drops the rest', async () => {
    const seen: number[] = [];
    const { push, ends, stream } = bound((element, { stream: own }) => {
      seen.push(number(element));
      own.throttle(1000);
    });
    push(`${stanzas(1, 2)}<!-- -->`);
    expect([stream.closed, ends]).toEqual([true, ['end', 'stream error restricted-xml']]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual([1]);
  });
});

describe('an error', () => {
  it('is the last that is said, and nothing is heard any more', () => {
    const seen: string[] = [];
    const { push, sent, ends, stream, errors } = bound((element) => {
      seen.push(element.name);
      throw new StreamError('invalid-from');
    });
    push('<message/><iq/>');
    push('<iq/>');
    stream.error(new StreamError('reset'));
    stream.send('more');
    stream.close();
    expect(seen).toEqual(['message']);
    expect(sent()).toBe(
      `<stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
    );
    expect([errors, ends]).toEqual([['invalid-from'], ['end', 'stream error invalid-from']]);
  });

  it.each([
    [
      'at once',
      () => {
        throw new TypeError('secret');
      },
    ],
    ['later', () => Promise.reject(new TypeError('secret'))],
  ])('of ours, thrown %s, is logged and not told', async (_, receive) => {
    const { push, sent, faults } = bound(receive);
    push('<iq/>');
    await vi.waitFor(() => expect(faults).toHaveLength(1));
    const text = sent();
    expect(text).toContain('<internal-server-error ');
    expect(text).not.toContain('secret');
  });

  it('of the connection ends it once', () => {
    const { transport, ends, stream, sent } = bound(() => {});
    transport.break();
    transport.break();
    stream.error(new StreamError('reset'));
    expect([ends, sent()]).toEqual([['end', 'connection reset'], '']);
  });
});
