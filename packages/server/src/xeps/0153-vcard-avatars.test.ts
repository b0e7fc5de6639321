import { createHash } from 'node:crypto';
import { NS } from '@parley/xmpp/namespaces';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it } from 'vitest';
import { FakeProfiles, jpeg } from '../../../../tests/support/profiles.ts';
import { startServer } from '../../../../tests/support/server.ts';
import { modules } from '../modules.ts';
import { withPhoto } from './0153-vcard-avatars.ts';

const hash = createHash('sha1').update(jpeg()).digest('hex');
const note = `<x xmlns='${NS.vcardUpdate}'><photo>${hash}</photo></x>`;

it('notes the photo of a directory in presence, whatever the client says', async () => {
  const source = new FakeProfiles();
  source.add('romeo@localhost', { photo: jpeg() });
  const server = await startServer({ modules: [source.module, ...modules] });
  const romeo = await server.client('romeo@localhost/orchard');
  for (const said of ['', `<x xmlns='${NS.vcardUpdate}'/>`, `<x xmlns='${NS.vcardUpdate}'><photo>abc</photo></x>`]) {
    romeo.send(`<presence><show>away</show>${said}</presence>`);
    const update = (await romeo.nextPresence()).child('x', NS.vcardUpdate);
    expect(update?.childText('photo')).toBe(hash);
  }
});

it('leaves presence alone of whom the directory has no photo, or does not answer', async () => {
  const source = new FakeProfiles();
  source.add('romeo@localhost', { values: { fullName: ['Romeo'] } });
  const server = await startServer({ modules: [source.module, ...modules] });
  const said = `<x xmlns='${NS.vcardUpdate}'><photo>abc</photo></x>`;
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(`<presence>${said}</presence>`);
  expect((await romeo.nextPresence()).child('x', NS.vcardUpdate)?.childText('photo')).toBe('abc');
  source.trouble = new Error('away');
  source.quick = false;
  romeo.send(`<presence>${said}</presence>`);
  expect((await romeo.nextPresence()).child('x', NS.vcardUpdate)?.childText('photo')).toBe('abc');
});

it('keeps all else of a presence', () => {
  const noted = withPhoto(presence({}), hash);
  expect(String(noted)).toBe(`<presence>${note}</presence>`);
  expect(withPhoto(noted, hash)).toBe(noted);
  const text = `<presence><show>dnd</show><x xmlns='${NS.vcardUpdate}'><other/></x></presence>`;
  const stanza: Stanza = stanzaFromText(Buffer.from(text));
  expect(String(withPhoto(stanza, hash))).toBe(
    `<presence><show>dnd</show><x xmlns='${NS.vcardUpdate}'><other/><photo>${hash}</photo></x></presence>`,
  );
});
