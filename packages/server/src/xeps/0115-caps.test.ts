import { verificationString } from '@parley/xmpp/caps';
import { DataForm, formSubject } from '@parley/xmpp/data-form';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { TestRosters } from '../../../../tests/support/rosters.ts';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import disco from './0030-disco.ts';
import module from './0115-caps.ts';

/** A module that says something else on each domain. */
const probe = defineModule({
  name: 'probe',
  setup({ disclosure }) {
    disclosure.forms.push((domain) =>
      new DataForm('result', {
        fields: [formSubject('urn:example:domain'), { name: 'domain', values: [domain.toString()] }],
      }).toElement(),
    );
  },
});

const start = () =>
  startServer({
    modules: [new TestRosters().module, disco, probe, module],
    config: { domains: ['localhost', 'branch.localhost'] },
  });

it('stands in the features of an authenticated stream, and is what the information comes to', async () => {
  const server = await start();
  const vers = new Set<string | undefined>();
  for (const domain of ['localhost', 'branch.localhost']) {
    const romeo = await server.client(`romeo@${domain}/orchard`);
    const caps = romeo.features?.child('c', NS.caps);
    expect(caps?.attr('hash')).toBe('sha-1');
    const query = (await romeo.request('get', `<query xmlns='${NS.discoInfo}'/>`, domain)).firstChild;
    expect(verificationString(query?.elements ?? [])).toBe(caps?.attr('ver'));
    vers.add(caps?.attr('ver'));

    const node = `${caps?.attr('node')}#${caps?.attr('ver')}`;
    const again = await romeo.request('get', `<query xmlns='${NS.discoInfo}' node='${node}'/>`, domain);
    expect(again.firstChild?.attr('node')).toBe(node);
    expect(again.firstChild?.elements).toEqual(query?.elements);
  }
  expect(vers.size).toBe(2);
});

it('is not told before authentication', async () => {
  const client = (await start()).connect();
  client.open('localhost');
  expect((await client.next()).child('c', NS.caps)).toBeUndefined();
});

it('knows no node of another version', async () => {
  const romeo = await (await start()).client('romeo@localhost/orchard');
  const node = `${romeo.features?.child('c', NS.caps)?.attr('node')}#QgayPKawpkPSDYmwT/WM94uAlu0=`;
  const answer = await romeo.request('get', `<query xmlns='${NS.discoInfo}' node='${node}'/>`, 'localhost');
  expect(answer.child('error')?.firstChild?.name).toBe('item-not-found');
});
