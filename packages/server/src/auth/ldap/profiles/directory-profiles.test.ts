import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Slapd } from '../../../../../../tests/services/slapd.ts';
import { personEntry } from '../../../../../../tests/services/slapd-files.ts';
import { LdapDirectory } from '../ldap-directory.ts';
import { closedWithTest, directoryEntry, HeardLog, settingsFor } from '../testing.ts';
import { DirectoryProfiles } from './directory-profiles.ts';

let slapd: Slapd;
beforeAll(async () => {
  const twins = [1, 2].map((each) =>
    personEntry(`twin${each}`, 'Double').replace(/^mail: .*$/m, 'mail: twin@localhost'),
  );
  slapd = await Slapd.startLasting({
    ldif: [...twins, personEntry('ines', 'Nunez', 'xn--espaa-rta.example')].join(''),
  });
});
afterAll(() => slapd.end());

function profilesFrom(heard = new HeardLog()): DirectoryProfiles {
  const settings = settingsFor(directoryEntry(slapd), ['localhost', 'españa.example']);
  const directory = closedWithTest(new LdapDirectory(settings, heard.log));
  return new DirectoryProfiles({ directory, groups: { isMemberOfAny: () => false }, log: heard.log });
}

test('somebody whose mail address writes the domain in ASCII has a profile, as they have an account', async () => {
  const profile = await profilesFrom().profile(Jid.parse('ines@españa.example'));
  expect(profile?.values.get('familyName')).toEqual(['Nunez']);
});

test('where two entries have the address, nobody has a profile, and the log says why', async () => {
  const heard = new HeardLog();
  expect(await profilesFrom(heard).profile(Jid.parse('twin@localhost'))).toBeUndefined();
  expect(await heard.hear('directory.ambiguous')).toMatchObject({ account: 'twin@localhost' });
});
