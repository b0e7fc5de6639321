import { administerFederation } from '@parley/server/admin/federation-administration';
import type { Element } from '@parley/xmpp/element';
import { describe, expect, test } from 'vitest';
import { startComponent } from '../support/component.ts';
import { appear, presenceOf, push, roster, words } from '../support/contacts.ts';
import { DOMAINS, twoServers } from './two-servers.ts';

const of = (kind: string) => (element: Element) => element.name === kind;

describe.each(['certificate', 'certificate-or-dialback'] as const)('two servers by %s', (authentication) => {
  const start = () => twoServers(authentication);

  test('carry what users and components of different servers say to each other', async () => {
    const [montague, capulet] = await start();
    const component = await startComponent(montague, 'irc.montague.example');
    const juliet = await capulet.online('juliet@capulet.example/balcony');
    juliet.send(`<message to='romeo@irc.montague.example' id='1'><body>Deny thy father</body></message>`);
    const got = await component.nextMessage();
    expect([got.attr('from'), got.childText('body')]).toEqual(['juliet@capulet.example/balcony', 'Deny thy father']);
    component.send(
      `<message from='romeo@irc.montague.example' to='juliet@capulet.example'><body>Call me but love</body></message>`,
    );
    expect((await juliet.take(of('message'))).childText('body')).toBe('Call me but love');
    const answer = await component.ask('irc.montague.example', 'nobody@capulet.example/x', 'get', `<a xmlns='urn:a'/>`);
    expect(answer.toString()).toContain('service-unavailable');
    await component.close();
    juliet.send(`<message to='romeo@irc.montague.example' id='2'><body>Still there?</body></message>`);
    const error = (await juliet.take(of('message'))).child('error');
    expect([error?.firstChild?.name, error?.attr('type')]).toEqual(['service-unavailable', 'wait']);
  });

  test('do not tell each other who is there, where one of them hides that', async () => {
    const [montague, capulet] = await start();
    const next = structuredClone(capulet.node.config);
    next.federation.hideAccounts = true;
    await capulet.node.reload(next);
    await capulet.account('juliet@capulet.example');
    const romeo = await montague.online('romeo@montague.example/orchard');
    const say = (to: string, more = '') =>
      romeo.send(`<message to='${to}' type='chat' id='${to}'><body>Art thou here?</body>${more}</message>`);
    for (const name of ['juliet', 'nobody']) say(`${name}@capulet.example`);
    // what would not be stored is refused, whoever it is for
    for (const name of ['juliet', 'nobody']) say(`${name}@capulet.example`, `<no-store xmlns='urn:xmpp:hints'/>`);
    const refused = [await romeo.take(of('message')), await romeo.take(of('message'))];
    expect(refused.map((each) => each.child('error')?.firstChild?.name)).toEqual(Array(2).fill('service-unavailable'));
    expect(new Set(refused.map((each) => each.attr('from')))).toEqual(
      new Set(['juliet@capulet.example', 'nobody@capulet.example']),
    );
    expect(await romeo.sync()).toEqual([]);
    expect(capulet.count(({ offlineStored }) => offlineStored)).toBe(1);
    expect(capulet.count(({ stanzasDropped }) => stanzasDropped.with({ cause: 'no-account' }))).toBe(1);
  });

  test('carry messages and requests, and the answers to them', async () => {
    const [montague, capulet] = await start();
    const romeo = await montague.online('romeo@montague.example/orchard');
    const juliet = await capulet.online('juliet@capulet.example/balcony');
    romeo.send(`<message to='juliet@capulet.example' type='chat' id='1'><body>Call me but love</body></message>`);
    expect((await juliet.take(of('message'))).attr('from')).toBe('romeo@montague.example/orchard');
    juliet.send(
      `<message to='romeo@montague.example/orchard' type='chat'><body>How camest thou hither</body></message>`,
    );
    expect((await romeo.take(of('message'))).childText('body')).toBe('How camest thou hither');
    const answer = await romeo.request('get', `<ping xmlns='urn:xmpp:ping'/>`, 'capulet.example');
    expect(answer.attr('type')).toBe('result');
    const refused = await romeo.request('get', `<a xmlns='urn:a'/>`, 'nobody@capulet.example/x');
    expect(refused.toString()).toContain('service-unavailable');
    romeo.send(`<message to='nobody@capulet.example' id='2'><body>hi</body></message>`);
    expect((await romeo.take(of('message'))).toString()).toContain('service-unavailable');
    const lists = [montague, capulet].map(({ node }) => administerFederation(node.federation, node.domains).list());
    for (const [index, { outgoing, incoming }] of lists.entries()) {
      const [local, remote] = [DOMAINS[index], DOMAINS[1 - index]];
      expect(outgoing).toMatchObject([{ local, remote, state: 'open' }]);
      expect(incoming).toMatchObject([{ local, remotes: [remote], encryption: 'TLSv1.3' }]);
    }
    const proofs = [montague, capulet].map(({ log }) => log.find(({ event }) => event === 's2s.connected')?.tookUsBy);
    const expected = authentication === 'certificate' ? 'certificate' : 'dialback';
    expect(proofs).toEqual([expected, expected]);
  });

  test('carry subscriptions and presence', async () => {
    const [montague, capulet] = await start();
    const romeo = await appear(montague, 'romeo@montague.example/orchard');
    const juliet = await appear(capulet, 'juliet@capulet.example/balcony');
    await roster(romeo);
    romeo.send(`<presence to='juliet@capulet.example' type='subscribe'/>`);
    await presenceOf(juliet, 'subscribe', 'romeo@montague.example');
    juliet.send(`<presence to='romeo@montague.example' type='subscribed'/>`);
    await presenceOf(romeo, 'subscribed', 'juliet@capulet.example');
    await presenceOf(romeo, undefined, 'juliet@capulet.example/balcony');
    expect([words(await push(romeo)), words(await push(romeo))]).toEqual([
      'juliet@capulet.example none ask',
      'juliet@capulet.example to',
    ]);
    juliet.send('<presence><show>away</show></presence>');
    await romeo.take((element) => element.childText('show') === 'away');
    const again = await montague.client('romeo@montague.example/garden');
    again.send('<presence/>'); // probes
    expect((await presenceOf(again, undefined, 'juliet@capulet.example/balcony')).childText('show')).toBe('away');
    const { federation, domains } = montague.node;
    expect(administerFederation(federation, domains).close('capulet.example')).toBe(2);
    await juliet.close();
    await presenceOf(romeo, 'unavailable', 'juliet@capulet.example/balcony');
  });
});
