import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../../tests/support/server.ts';
import module from './vcard.ts';

const EMPTY = `<vCard xmlns='${NS.vcard}'/>`;
const vcard = (content: string) => `<vCard xmlns='${NS.vcard}'>${content}</vCard>`;
const start = (options: Record<string, unknown> = {}) =>
  startServer({ modules: [module], config: { modules: { vcard: options } } as never });

describe('the own vCard', () => {
  it('is not found before it was set, and then comes back as it was sent', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    const missing = await romeo.request('get', EMPTY);
    expect(missing.child('error')?.firstChild?.name).toBe('item-not-found');

    const sent = vcard(`<FN>Romeo &amp; Co.</FN><x:note xmlns:x='urn:example' x:kind='a"b'>α</x:note>`);
    expect((await romeo.request('set', sent)).attr('type')).toBe('result');
    const kept = (await romeo.request('get', EMPTY)).firstChild;
    expect(kept?.childText('FN')).toBe('Romeo & Co.');
    const note = kept?.child('note', 'urn:example');
    expect([note?.text, note?.attr('{urn:example}kind')]).toEqual(['α', 'a"b']);
  });

  it('is taken away by an empty one', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    await romeo.request('set', vcard('<FN>Romeo</FN>'));
    await romeo.request('set', EMPTY, 'romeo@localhost');
    expect((await romeo.request('get', EMPTY)).child('error')?.firstChild?.name).toBe('item-not-found');
  });

  it('stays as it is where a larger one than allowed is sent', async () => {
    const server = await start({ maxBytes: 200 });
    const romeo = await server.client('romeo@localhost/orchard');
    await romeo.request('set', vcard('<FN>Romeo</FN>'));
    const refused = await romeo.request('set', vcard(`<FN>${'é'.repeat(90)}</FN>`));
    expect(refused.child('error')?.firstChild?.name).toBe('policy-violation');
    expect((await romeo.request('get', EMPTY)).firstChild?.childText('FN')).toBe('Romeo');
    expect(server.node.registry.metrics.limitsExceeded.with({ limit: 'vcard-bytes' }).value).toBe(1);
  });
});

describe('the vCard of a server', () => {
  it('names the domain, and what the operator says', async () => {
    const server = await start({ organization: 'House of Capulet', url: 'https://capulet.lit' });
    const romeo = await server.client('romeo@localhost/orchard');
    expect(String((await romeo.request('get', EMPTY, 'localhost')).firstChild)).toBe(
      vcard('<FN>localhost</FN><ORG><ORGNAME>House of Capulet</ORGNAME></ORG><URL>https://capulet.lit</URL>'),
    );
  });

  it('cannot be set', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    const refused = await romeo.request('set', vcard('<FN>Romeo</FN>'), 'localhost');
    expect(refused.child('error')?.firstChild?.name).toBe('service-unavailable');
  });
});
