import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { SaslError } from '@parley/xmpp/sasl-error';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import {
  base64,
  conditionOf,
  features,
  isIn,
  outcomeOf,
  plain,
  sendAuth,
  streamError,
} from '../../../../../tests/support/login.ts';
import type { MemoryTransport } from '../../../../../tests/support/memory-transport.ts';
import { addressIn, authenticate, plain2, said, scram2 } from '../../../../../tests/support/sasl2.ts';
import { type ServerOptions, startServer, type TestServer } from '../../../../../tests/support/server.ts';
import { defineModule } from '../../module.ts';
import type { InlineFeature } from '../../stream/inline-feature.ts';
import type { LoginTasks } from '../../stream/login-task.ts';
import sasl2 from './sasl2.ts';

const juliet = Jid.parse('juliet@localhost');
const right = { username: 'juliet', password: 'secret' };
const exported = Buffer.from('what this very connection exports');
const EXAMPLE = 'urn:example:inline';

let server: TestServer;

async function start({ modules = [], config = {} }: ServerOptions = {}): Promise<void> {
  server = await startServer({
    modules: [sasl2, ...modules],
    config: {
      limits: { logins: { delaySeconds: 0 } },
      authentication: { mechanisms: ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'ANONYMOUS'] },
      ...config,
    },
  });
  await server.account('juliet@localhost');
}

function connect(from?: string, prepare?: (transport: MemoryTransport) => void): TestClient {
  const client = server.connect(prepare);
  client.open('localhost', from);
  return client;
}

const bound = (transport: MemoryTransport) => {
  transport.bindings.set('tls-exporter', exported);
};

beforeEach(() => start());

describe('who is right', () => {
  test('is told who they are, and goes on in the same stream', async () => {
    const client = connect('juliet@localhost');
    await features(client);
    const success = await plain2(client, 'juliet', 'secret');
    expect(String(success)).toBe(
      `<success xmlns='${NS.sasl2}'><authorization-identifier>juliet@localhost</authorization-identifier></success>`,
    );
    // §2.6.1: the features follow at once
    const offer = await features(client);
    expect(offer.child('bind', NS.bind)).toBeDefined();
    expect(offer.child('authentication', NS.sasl2)).toBeUndefined();
    expect(await isIn(client)).toBe(true);
  });

  test.each(['SHA-1', 'SHA-256', 'SHA-512'] as const)('gets in by SCRAM-%s, bound or not', async (hash) => {
    expect(addressIn(await scram2(connect(), { ...right, hash }))).toBe('juliet@localhost');
    const client = connect('juliet@localhost/balcony', bound);
    const attempt = { ...right, hash, plus: true, header: 'p=tls-exporter,,', bindingData: exported };
    expect(addressIn(await scram2(client, attempt))).toBe('juliet@localhost');
    expect(await isIn(client)).toBe(true);
  });

  test('gets in as a guest', async () => {
    const client = connect();
    authenticate(client, 'ANONYMOUS', undefined);
    expect(addressIn(await said(client))).toMatch(/^[0-9a-f-]{36}@localhost$/);
  });

  test('says the first message when asked, too', async () => {
    const client = connect();
    authenticate(client, 'PLAIN', undefined);
    expect(String(await said(client))).toBe(`<challenge xmlns='${NS.sasl2}'/>`);
    client.send(`<response xmlns='${NS.sasl2}'>${base64('\0juliet\0secret')}</response>`);
    expect((await said(client)).name).toBe('success');
  });

  test('gets in after a failure, and may say more than before', async () => {
    const client = connect();
    expect(conditionOf(await scram2(client, { ...right, password: 'guess' }))).toBe('not-authorized');
    expect((await scram2(client, right)).name).toBe('success');
    const long = 'x'.repeat(50_000); // more than a stranger may send
    const request = `<bind xmlns='${NS.bind}'><resource>${long}</resource></bind>`;
    expect(outcomeOf(await client.request('set', request))).toBe('bad-request');
    expect(await isIn(client)).toBe(true);
  });

  test('may have said what comes next already', async () => {
    const client = connect();
    client.send(
      `<authenticate xmlns='${NS.sasl2}' mechanism='PLAIN'><initial-response>${base64('\0juliet\0secret')}</initial-response></authenticate>` +
        `<iq type='set' id='bind'><bind xmlns='${NS.bind}'/></iq>`,
    );
    expect((await said(client)).name).toBe('success');
    expect((await client.take(({ name }) => name === 'iq')).attr('type')).toBe('result');
  });

  test.each(['authenticate', 'response', 'abort', 'next'])(
    'cannot log in again: <%s/> ends the stream',
    async (name) => {
      const client = connect();
      await plain2(client, 'juliet', 'secret');
      client.send(`<${name} xmlns='${NS.sasl2}'/>`);
      expect(await streamError(client)).toBe('policy-violation');
    },
  );
});

describe('who is wrong', () => {
  const first = (mechanism: string, data: string) =>
    `<authenticate xmlns='${NS.sasl2}' mechanism='${mechanism}'><initial-response>${data}</initial-response></authenticate>`;

  test.each([
    ['a mechanism that nobody knows', first('DIGEST-MD5', 'AA=='), 'invalid-mechanism'],
    ['no mechanism', `<authenticate xmlns='${NS.sasl2}'/>`, 'invalid-mechanism'],
    ['one that is not offered', first('EXTERNAL', ''), 'invalid-mechanism'],
    ['-PLUS without binding data', first('SCRAM-SHA-1-PLUS', 'AA=='), 'invalid-mechanism'],
    ['white space in base64', first('PLAIN', ' AGEAYg== '), 'incorrect-encoding'],
    ['the sign of RFC 6120 for nothing', first('PLAIN', '='), 'incorrect-encoding'],
    ['no base64', first('PLAIN', '!'), 'incorrect-encoding'],
    ['elements in place of text', first('PLAIN', '<a/>'), 'malformed-request'],
    ['an empty message', first('PLAIN', ''), 'malformed-request'],
    ['a response to nothing', `<response xmlns='${NS.sasl2}'>AGEAYg==</response>`, 'malformed-request'],
    ['a task that nobody has set', `<next xmlns='${NS.sasl2}' task='UPGR-SCRAM-SHA-256'/>`, 'malformed-request'],
    ['data of no task', `<task-data xmlns='${NS.sasl2}'/>`, 'malformed-request'],
    ['an end of nothing', `<abort xmlns='${NS.sasl2}'/>`, 'aborted'],
  ])('%s fails, and the next attempt may succeed', async (_, element, condition) => {
    const client = connect();
    client.send(element);
    const failure = await said(client);
    expect(failure.firstChild?.ns).toBe(NS.sasl);
    expect(conditionOf(failure)).toBe(condition);
    expect((await plain2(client, 'juliet', 'secret')).name).toBe('success');
  });

  test('is told the same whether there is such an account', async () => {
    const answers = [];
    for (const username of ['juliet', 'nobody']) {
      const attempt = { ...right, username, password: 'guess' };
      const client = connect(`${username}@localhost`);
      answers.push([String(await features(client)), String(await scram2(client, attempt))]);
      answers.push([String(client.features), String(await plain2(connect(), username, 'guess'))]);
    }
    expect(answers[2]).toEqual(answers[0]);
    expect(answers[3]).toEqual(answers[1]);
  });

  test.each([
    ['a proof that was changed', { tamper: (message: string) => message.replace('p=', 'p=A') }],
    ['another nonce', { nonce: 'another-nonce-of-somebody' }],
    ['bound to another channel', { bindingData: Buffer.from('that of somebody in between') }],
    ['a client that was not shown the binding', { plus: false, header: 'y,,' }],
  ])('SCRAM with %s fails', async (_, change) => {
    const client = connect(undefined, bound);
    const attempt = { ...right, plus: true, header: 'p=tls-exporter,,', bindingData: exported, ...change };
    expect((await scram2(client, attempt)).name).toBe('failure');
    expect(await isIn(client)).toBe(false);
  });

  test('who has proved to be Juliet in a stream of Romeo is not in', async () => {
    const client = connect('romeo@localhost');
    expect(conditionOf(await plain2(client, 'juliet', 'secret'))).toBe('invalid-authzid');
    expect(await isIn(client)).toBe(false);
  });

  test('five wrong passwords end the stream', async () => {
    const client = connect();
    for (let i = 0; i < 5; i++) expect(conditionOf(await plain2(client, 'juliet', 'guess'))).toBe('not-authorized');
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('whoever is disabled is told so with the right password, and not with a wrong one', async () => {
    await server.accounts.disable?.(juliet);
    expect(conditionOf(await plain2(connect(), 'juliet', 'secret'))).toBe('account-disabled');
    expect(conditionOf(await plain2(connect(), 'juliet', 'guess'))).toBe('not-authorized');
  });
});

describe('one stream, one way', () => {
  test.each([
    ['SASL2 after the SASL of RFC 6120', plain, plain2],
    ['the SASL of RFC 6120 after SASL2', plain2, plain],
  ])('%s ends it', async (_, one, other) => {
    const client = connect();
    expect((await one(client, 'juliet', 'guess')).name).toBe('failure');
    void other(client, 'juliet', 'secret').catch(() => {});
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('in the middle of an exchange nothing else is heard (§2.4)', async () => {
    for (const other of [
      `<iq type='get' id='a'><query xmlns='jabber:iq:auth'/></iq>`,
      '<message/>',
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>=</auth>`,
    ]) {
      const client = connect();
      authenticate(client, 'SCRAM-SHA-1', 'n,,n=juliet,r=nonce');
      expect((await said(client)).name).toBe('challenge');
      client.send(other);
      expect(await streamError(client)).toBe('policy-violation');
    }
  });

  test('an exchange can be broken off, and another one begun', async () => {
    const client = connect();
    authenticate(client, 'SCRAM-SHA-1', 'n,,n=juliet,r=nonce');
    expect((await said(client)).name).toBe('challenge');
    client.send(`<abort xmlns='${NS.sasl2}'><text>I do not like it here.</text></abort>`);
    expect(conditionOf(await said(client))).toBe('aborted');
    sendAuth(client, 'PLAIN', base64('\0juliet\0secret')); // not in the other way, though
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('a second attempt within the first ends both', async () => {
    const client = connect();
    authenticate(client, 'SCRAM-SHA-1', 'n,,n=juliet,r=nonce');
    expect((await said(client)).name).toBe('challenge');
    expect(conditionOf(await plain2(client, 'juliet', 'secret'))).toBe('malformed-request');
    expect(await isIn(client)).toBe(false);
  });
});

test('without TLS it is refused, offered or not', async () => {
  await start({ config: { tls: { required: false } } });
  const client = connect(undefined, (transport) => {
    transport.tls = undefined;
  });
  expect(conditionOf(await scram2(client, right))).toBe('encryption-required');
});

test('nothing but a right proof gets in', async () => {
  const say: ((client: TestClient) => void)[] = [
    (client) => authenticate(client, 'PLAIN', '\0juliet\0guess'),
    (client) => authenticate(client, 'PLAIN', undefined),
    (client) => authenticate(client, 'SCRAM-SHA-1', 'n,,n=juliet,r=nonce'),
    (client) => client.send(`<response xmlns='${NS.sasl2}'>${base64('c=biws,r=nonce,p=AA==')}</response>`),
    (client) => client.send(`<abort xmlns='${NS.sasl2}'/>`),
    (client) => client.send(`<next xmlns='${NS.sasl2}' task='EXAMPLE'/>`),
    (client) => client.send(`<task-data xmlns='${NS.sasl2}'/>`),
    (client) => sendAuth(client, 'PLAIN', base64('\0juliet\0guess')),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...say), { maxLength: 8 }), async (script) => {
      const client = connect();
      for (const each of script) each(client);
      expect(await isIn(client).catch(() => false)).toBe(false);
      expect(client.inbox.map(({ name }) => name)).not.toContain('success');
    }),
    { numRuns: 50 },
  );
});

describe('what features have to do with a login', () => {
  const withFeature = (feature: { inSasl2?: InlineFeature; tasks?: LoginTasks }) =>
    start({
      modules: [defineModule({ name: 'example', setup: ({ features }) => features.add({ ns: EXAMPLE, ...feature }) })],
    });

  test('is announced, done after the proof, and told with the success; what it sends comes later', async () => {
    await withFeature({
      inSasl2: {
        advertise: () => Element.of('example', EXAMPLE),
        async handle({ stream, request, userAgent }) {
          stream.send('<message/>');
          const asked = request.child('example', EXAMPLE);
          return asked === undefined
            ? []
            : [Element.of('done', EXAMPLE, { who: stream.identity?.local }, userAgent?.software ?? '')];
        },
      },
    });
    const client = connect();
    expect(String((await features(client)).child('authentication', NS.sasl2))).toContain(
      `<inline><example xmlns='${EXAMPLE}'/></inline>`,
    );
    const content = `<user-agent><software>AwesomeXMPP</software></user-agent><example xmlns='${EXAMPLE}'/>`;
    expect(conditionOf(await plain2(client, 'juliet', 'guess', content))).toBe('not-authorized');
    expect(String(await plain2(client, 'juliet', 'secret', content))).toContain(
      `<done xmlns='${EXAMPLE}' who='juliet'>AwesomeXMPP</done>`,
    );
    expect(client.inbox.map(({ name }) => name)).toEqual(['features', 'message']);
  });

  test('that fails ends the stream, and nobody is in', async () => {
    await withFeature({ inSasl2: { advertise: () => undefined, handle: () => Promise.reject(new Error('a fault')) } });
    const client = connect();
    authenticate(client, 'PLAIN', '\0juliet\0secret');
    expect(await streamError(client)).toBe('internal-server-error');
    expect(client.inbox.map(({ name }) => name)).toEqual(['features']);
    expect(server.log.map(({ event }) => event)).toContain('stream.fault');
  });

  describe('as a task that is set before the success', () => {
    let done = 0;
    const tasks: LoginTasks = {
      advertise: () => [Element.of('offer', EXAMPLE)],
      next: ({ request }) =>
        request.child('want', EXAMPLE) === undefined || done === 2
          ? undefined
          : {
              name: `TASK-${done}`,
              text: 'One thing more.',
              step({ name, text }) {
                if (name === 'next') return [Element.of('question', EXAMPLE)];
                if (text === 'wrong') throw new SaslError('not-authorized', 'That is wrong.');
                done++;
                return undefined;
              },
            },
    };
    const want = `<want xmlns='${EXAMPLE}'/>`;
    const answer = (client: TestClient, text: string) => {
      client.send(`<task-data xmlns='${NS.sasl2}'>${text}</task-data>`);
      return said(client);
    };
    const next = (client: TestClient, task: string) => {
      client.send(`<next xmlns='${NS.sasl2}' task='${task}'/>`);
      return said(client);
    };

    beforeEach(async () => {
      done = 0;
      await withFeature({ tasks });
    });

    test('it is asked for, one after the other, and then they are in', async () => {
      const client = connect();
      expect(String((await features(client)).child('authentication', NS.sasl2))).toContain(
        `<offer xmlns='${EXAMPLE}'/>`,
      );
      const first = await scram2(client, right, want); // whose server proves itself with the first of them
      expect(first.name).toBe('continue');
      expect(first.child('tasks')?.elements.map(({ text }) => text)).toEqual(['TASK-0']);
      expect(first.childText('text')).toBe('One thing more.');
      expect(String(await next(client, 'TASK-0'))).toBe(
        `<task-data xmlns='${NS.sasl2}'><question xmlns='${EXAMPLE}'/></task-data>`,
      );
      const second = await answer(client, 'right');
      expect([second.name, second.child('additional-data')]).toEqual(['continue', undefined]);
      await next(client, 'TASK-1');
      expect(addressIn(await answer(client, 'right'))).toBe('juliet@localhost');
      expect(await isIn(client)).toBe(true);
    });

    test('who does it wrongly, or another one, or goes past it, is not in', async () => {
      for (const say of [
        async (client: TestClient) => next(client, 'TASK-1'),
        async (client: TestClient) => answer(client, 'right'),
        async (client: TestClient) => next(client, 'TASK-0').then(() => next(client, 'TASK-0')),
        async (client: TestClient) => next(client, 'TASK-0').then(() => answer(client, 'wrong')),
      ]) {
        const client = connect();
        expect((await scram2(client, right, want)).name).toBe('continue');
        expect((await say(client)).name).toBe('failure');
        expect(await isIn(client)).toBe(false);
      }
    });

    test('who breaks it off is told what it was about, and may begin anew', async () => {
      const client = connect();
      await scram2(client, right, want);
      client.send(`<abort xmlns='${NS.sasl2}'/>`);
      const failure = await said(client);
      expect([conditionOf(failure), failure.childText('text')]).toEqual(['aborted', 'One thing more.']);
      expect((await scram2(client, right)).name).toBe('success');
    });

    test('another login in the middle of it ends the stream (§5.8)', async () => {
      const client = connect();
      await scram2(client, right, want);
      authenticate(client, 'PLAIN', '\0juliet\0secret');
      expect(await streamError(client)).toBe('policy-violation');
    });

    test('who is disabled in the middle of it is not in', async () => {
      const client = connect();
      done = 1;
      await scram2(client, right, want);
      await next(client, 'TASK-1');
      await server.accounts.disable?.(juliet);
      expect(conditionOf(await answer(client, 'right'))).toBe('account-disabled');
    });
  });
});
