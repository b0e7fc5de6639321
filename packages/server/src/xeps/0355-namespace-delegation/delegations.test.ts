import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { iq } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { configurationSchema } from '../../config/schema.ts';
import { delegate, delegatedResult, delegationElement } from './delegations.ts';

const namespaces = [{ namespace: 'urn:a' }, { namespace: 'urn:mam', attributes: ['node', 'x'] }];
const { components } = configurationSchema().parse({
  domains: ['a.lit', 'b.lit'],
  components: [
    { domain: 'none.a.lit', secret: 'known to both' },
    { domain: 'pubsub.a.lit', secret: 'known to both', delegation: { namespaces } },
    {
      domain: 'elsewhere.lit',
      secret: 'known to both',
      delegation: { domains: ['b.lit'], namespaces: [namespaces[0]] },
    },
  ],
});
const romeo = Jid.parse('romeo@a.lit/orchard');

function asked(ns: string, to = 'romeo@a.lit', attributes = {}, from = romeo) {
  const request = iq({ from, to: Jid.parse(to), type: 'get', id: '1' }, Element.of('query', ns, attributes));
  return delegate(request, request.to as Jid, components, ['a.lit', 'b.lit'])?.domain;
}

it('finds the component by namespace, attributes and domain', () => {
  expect(asked('urn:a')).toBe('pubsub.a.lit');
  expect(asked('urn:a', 'a.lit')).toBe('pubsub.a.lit');
  expect(asked('urn:a', 'juliet@b.lit')).toBe('elsewhere.lit');
  expect([asked('urn:b'), asked('urn:mam'), asked('urn:mam', 'a.lit', { node: '1' })]).toEqual(
    Array(3).fill(undefined),
  );
  expect(asked('urn:mam', 'a.lit', { node: '1', x: '' })).toBe('pubsub.a.lit');
});

it('leaves what the component itself asks to the server', () => {
  expect(asked('urn:a', 'romeo@a.lit', {}, Jid.parse('pubsub.a.lit'))).toBeUndefined();
});

it('tells the component', () => {
  expect(String(delegationElement(components[1] as (typeof components)[number]))).toBe(
    `<delegation xmlns='${NS.delegation}'><delegated namespace='urn:a'/>` +
      `<delegated namespace='urn:mam'><attribute name='node'/><attribute name='x'/></delegated></delegation>`,
  );
});

const request = iq({ from: romeo, to: Jid.parse('romeo@a.lit'), type: 'get', id: '1' }, Element.of('query', 'urn:a'));

function answer(inner: object, type = 'result') {
  const inside = Element.of(
    'iq',
    NS.client,
    { to: 'romeo@a.lit/orchard', id: '1', type: 'result', ...inner },
    Element.of('done', 'urn:a'),
  );
  const content = Element.of('delegation', NS.delegation, {}, Element.of('forwarded', NS.forward, {}, inside));
  return iq({ from: Jid.parse('pubsub.a.lit'), to: Jid.parse('a.lit'), type, id: 's' }, content);
}

it('makes the answer of what is in the component’s', () => {
  for (const from of [undefined, 'romeo@a.lit']) {
    expect(String(delegatedResult(request, answer({ from })))).toBe(
      `<iq to='romeo@a.lit/orchard' from='romeo@a.lit' id='1' type='result'><done xmlns='urn:a'/></iq>`,
    );
  }
});

it.each([
  ['to somebody else', answer({ to: 'juliet@a.lit' })],
  ['from somebody else', answer({ from: 'a.lit' })],
  ['to another request', answer({ id: '2' })],
  ['that is none', answer({ type: 'set' })],
  ['that is an error', answer({}, 'error')],
  ['with nothing in it', answer({}).result()],
])('refuses an answer %s', (_, wrong) => {
  expect(() => delegatedResult(request, wrong)).toThrow(expect.objectContaining({ condition: 'service-unavailable' }));
});
