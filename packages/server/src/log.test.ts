import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Log, type LogOptions } from './log.ts';

let lines: string[];
beforeEach(() => {
  lines = [];
});

/** These tests are about lines, whatever they tell: it takes events that are not declared. */
interface AnyLog extends Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'flood', Write> {
  with(fields: object): AnyLog;
  writes: Log['writes'];
  setLevel: Log['setLevel'];
}
type Write = (event: string, fields?: object) => void;

const create = (options: LogOptions = {}) =>
  Log.create({ ...options, output: { write: (line) => void lines.push(line) } }) as unknown as AnyLog;

const written = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a line', () => {
  it('has level, time and event first, then the fields', () => {
    create().info('session.bound', { jid: 'romeo@montague.lit/garden', sessions: 2 });
    expect(lines[0]).toMatch(
      /^\{"level":"info","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","event":"session.bound","jid":"romeo@montague.lit\/garden","sessions":2\}\n$/,
    );
  });

  it('is written only from the level on', () => {
    const log = create({ level: 'warn' });
    log.info('a.b');
    log.warn('a.c');
    expect(written().map(({ event }) => event)).toEqual(['a.c']);
    log.setLevel('debug');
    log.debug('a.d');
    expect(written().map(({ event }) => event)).toEqual(['a.c', 'a.d']);
    expect([log.writes('trace'), log.writes('debug')]).toEqual([false, true]);
  });

  it('carries the fields of its log, whose level follows', () => {
    const log = create();
    const stream = log.with({ stream: 'x1' });
    log.setLevel('debug');
    stream.debug('stream.opened', { port: 5222 });
    expect(written()[0]).toMatchObject({ event: 'stream.opened', stream: 'x1', port: 5222 });
    log.setLevel('silent');
    stream.fatal('stream.closed');
    expect(lines).toHaveLength(1);
  });

  it('tells an error with its stack and its cause', () => {
    create().error('stanza.failed', { error: new TypeError('no\u001b[31m', { cause: new Error('deep') }) });
    expect(written()[0]?.error).toMatchObject({
      name: 'TypeError',
      message: 'no\\u001b[31m',
      stack: expect.arrayContaining([expect.stringContaining('log.test.ts')]),
      cause: { message: 'deep' },
    });
  });
});

describe('what comes from outside', () => {
  it('cannot forge a line or control a terminal', () => {
    create().info('login.failed', { user: 'a\n{"event":"forged"}\u001b[2J\u009b1m\u202e', 'k\r': 1 });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(written()[0]).toMatchObject({ user: 'a\\u000a{"event":"forged"}\\u001b[2J\\u009b1m\\u202e', 'k\\u000d': 1 });
  });

  it.each([
    'password',
    'newPassword',
    'pass',
    'secret',
    'clusterSecret',
    'token',
    'Authorization',
    'cookie',
    'clientProof',
    'storedKey',
    'serverKey',
    'private_key',
    'initialResponse',
    'challenge',
    'saltedPassword',
  ])('is never written as %s, however deep', (name) => {
    create().error('a.b', { [name]: 'hunter2', deep: { deeper: [{ [name]: 'hunter2' }] } });
    expect(lines[0]).not.toContain('hunter2');
    expect(written()[0]?.[name]).toBe('[redacted]');
  });

  it('is written as a body at trace only', () => {
    const log = create({ level: 'trace' });
    log.debug('stanza.in', { nested: { body: 'hello' } });
    expect(lines[0]).not.toContain('hello');
    log.trace('stanza.in', { xml: '<message><body>hello</body></message>' });
    expect(written()[1]?.xml).toBe('<message><body>hello</body></message>');
  });

  it.each([
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAaHVudGVyMg==</auth>",
    "<iq type='set'><query xmlns='jabber:iq:auth'><password>hunter2</password></query></iq>",
    "<iq type='set'><query xmlns='jabber:iq:register'><password>hunter2</password></query></iq>",
    "<authenticate xmlns='urn:xmpp:sasl:2'><initial-response>x</initial-response></authenticate>",
  ])('is no body where it carries a secret: %s', (xml) => {
    create({ level: 'trace' }).trace('stanza.in', { xml });
    expect(written()[0]?.xml).toBe('[redacted]');
  });

  it('is bounded in length, number and depth', () => {
    const cycle: Record<string, unknown> = { text: 'x'.repeat(1_000_000) };
    cycle.self = cycle;
    create().info('a.b', { cycle, list: new Array(10_000).fill('y'), buffer: new Uint8Array(1_000_000) });
    expect(lines[0]?.length).toBeLessThan(20_000);
    expect(written()[0]).toMatchObject({ buffer: '1000000 bytes' });
  });
});

describe('flood', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes an event once a second and counts what it left out', () => {
    const log = create();
    for (let i = 0; i < 1000; i++) log.flood('limit.exceeded', { address: `192.0.2.${i % 250}` });
    expect(written()).toMatchObject([{ event: 'limit.exceeded', level: 'warn', address: '192.0.2.0' }]);
    vi.advanceTimersByTime(1000);
    expect(written()[1]).toMatchObject({ event: 'limit.exceeded', omitted: 999 });
    log.flood('limit.exceeded');
    expect(lines).toHaveLength(2);
    vi.advanceTimersByTime(1000);
    expect(written()[2]).toMatchObject({ omitted: 1 });
    vi.advanceTimersByTime(5000);
    expect(lines).toHaveLength(3);
    log.flood('limit.exceeded');
    expect(lines).toHaveLength(4);
  });

  it('holds back one event without the others, over all logs of the node', () => {
    const log = create();
    log.with({ stream: 'a' }).flood('limit.exceeded');
    log.with({ stream: 'b' }).flood('limit.exceeded');
    log.flood('login.failed');
    expect(written().map(({ event }) => event)).toEqual(['limit.exceeded', 'login.failed']);
  });

  it('keeps no timer and no event once it is quiet', () => {
    create().flood('limit.exceeded');
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('can write lines for eyes', () => {
  create({ pretty: true }).warn('login.failed', { jid: 'a@b', reason: 'no such "user"', error: new Error('x') });
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d warn {2}login\.failed jid=a@b reason="no such \\"user\\"" error=\{.*\}\n {4}at /,
  );
});
