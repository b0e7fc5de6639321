import type { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startServer } from '../support/server.ts';
import { numRuns } from './runs.ts';

const ME = 'mercutio@localhost/street';
const PEER = 'juliet@localhost/balcony';

const address = fc.constantFrom(
  undefined,
  'localhost',
  'localhost/resource',
  'mercutio@localhost',
  ME,
  'mercutio@localhost/nowhere',
  'juliet@localhost',
  PEER,
  'juliet@localhost/nowhere',
  'nobody@localhost',
  'nobody@localhost/nowhere',
  'verona.lit',
  'romeo@verona.lit/orchard',
  'conference.localhost',
  '@',
  'a@b@c',
  '',
  `x'y@localhost`,
);

const payload = fc.constantFrom(
  `<ping xmlns='${NS.ping}'/>`,
  `<query xmlns='${NS.roster}'/>`,
  `<query xmlns='${NS.roster}' ver='x'/>`,
  `<query xmlns='${NS.roster}'><item jid='nurse@localhost' name='Nurse'><group>a</group></item></query>`,
  `<query xmlns='${NS.roster}'><item jid='nurse@localhost' subscription='remove'/></query>`,
  `<query xmlns='${NS.roster}'><item jid='@'/></query>`,
  `<query xmlns='${NS.roster}'><item jid='a@b'/><item jid='c@d'/></query>`,
  `<query xmlns='${NS.discoInfo}'/>`,
  `<query xmlns='${NS.discoInfo}' node='x'/>`,
  `<query xmlns='${NS.discoItems}'/>`,
  `<query xmlns='${NS.version}'/>`,
  `<time xmlns='${NS.time}'/>`,
  `<query xmlns='${NS.last}'/>`,
  `<vCard xmlns='${NS.vcard}'/>`,
  `<vCard xmlns='${NS.vcard}'><FN>Mercutio</FN></vCard>`,
  `<query xmlns='${NS.private}'><a xmlns='urn:a'/></query>`,
  `<query xmlns='${NS.private}'/>`,
  `<bind xmlns='${NS.bind}'/>`,
  `<session xmlns='${NS.session}'/>`,
  `<enable xmlns='${NS.carbons}'/>`,
  `<disable xmlns='${NS.carbons}'/>`,
  `<blocklist xmlns='${NS.blocking}'/>`,
  `<block xmlns='${NS.blocking}'><item jid='tybalt@localhost'/></block>`,
  `<block xmlns='${NS.blocking}'/>`,
  `<unblock xmlns='${NS.blocking}'/>`,
  `<query xmlns='${NS.register}'/>`,
  `<query xmlns='${NS.iqAuth}'/>`,
  `<query xmlns='urn:example:unknown'/>`,
  `<x xmlns='${NS.dataForms}' type='submit'/>`,
  `<error type='cancel'><item-not-found xmlns='${NS.stanzas}'/></error>`,
);

const content = fc.oneof(
  { weight: 8, arbitrary: payload },
  { weight: 1, arbitrary: fc.tuple(payload, payload).map((two) => two.join('\n')) },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', 'text') },
);

const request = fc.record({
  to: address,
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('get', 'set') },
    { weight: 2, arbitrary: fc.constantFrom('result', 'error', 'GET', '', undefined) },
  ),
  content,
});

interface Request {
  readonly to: string | undefined;
  readonly type: string | undefined;
  readonly content: string;
}

const attribute = (name: string, value: string | undefined) =>
  value === undefined ? '' : ` ${name}='${escapeAttribute(value)}'`;
const isRequest = (element: Element) => element.attr('type') === 'get' || element.attr('type') === 'set';

/** Answers what the server passed on, as every client has to, and gives all that came. */
async function answerAll(client: TestClient): Promise<Element[]> {
  const came = await client.sync();
  for (const element of came) {
    if (!isRequest(element)) continue;
    client.send(`<iq type='result'${attribute('id', element.attr('id'))}${attribute('to', element.attr('from'))}/>`);
  }
  return came;
}

/** Whom the answer comes from: whoever was asked; the account itself may leave that out (RFC 6120 §8.1.2.1). */
function answerers(to: string | undefined): (string | undefined)[] {
  if (to === undefined) return [undefined, 'mercutio@localhost'];
  return [Jid.tryParse(to)?.toString()];
}

test('every request is answered once, by whom it was sent to, and nothing else is', async () => {
  const server = await startServer({ config: { limits: { stanzas: { perSecond: 0 }, bytes: { perSecond: 0 } } } });
  const me = await server.client(ME);
  const peer = await server.client(PEER);
  let serial = 0;
  let results = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 6 }), async (requests: Request[]) => {
      const sent = new Map<string, Request>();
      for (const each of requests) {
        const id = `m${++serial}`;
        sent.set(id, each);
        me.send(`<iq id='${id}'${attribute('to', each.to)}${attribute('type', each.type)}>${each.content}</iq>`);
      }
      // what was passed on to this client itself, or to the other one, is answered by them
      const came = await answerAll(me);
      await answerAll(peer);
      const all = [...came, ...(await me.sync())];
      for (const [id, { to, type, content: inside }] of sent) {
        const answers = all.filter((element) => element.attr('id') === id && !isRequest(element));
        if (to === ME && (type === 'result' || type === 'error')) continue; // it comes back as it is
        const expected = type === 'result' || type === 'error' ? 0 : 1;
        expect(answers.map(String), `${type} to ${to}: ${inside}`).toHaveLength(expected);
        for (const answer of answers) {
          expect(answerers(to)).toContain(answer.attr('from'));
          if (answer.attr('type') === 'result') results++;
          else expect(answer.child('error')?.firstChild?.ns).toBe(NS.stanzas);
        }
      }
    }),
    { numRuns },
  );
  expect(results).toBeGreaterThan(numRuns / 10);
  expect(server.node.streams.size).toBe(2);
});
