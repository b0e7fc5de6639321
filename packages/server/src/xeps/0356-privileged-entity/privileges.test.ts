import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { configurationSchema } from '../../config/schema.ts';
import { Privileges } from './privileges.ts';

const privileges = (more: object, domain = 'irc.a.lit') => {
  const [component] = configurationSchema().parse({
    domains: ['a.lit', 'b.lit', 'c.b.lit'],
    components: [{ domain, secret: 'known to both', privileges: more }],
  }).components;
  return new Privileges(component as NonNullable<typeof component>, ['a.lit', 'b.lit', 'c.b.lit']);
};

it('are none unless the configuration says so', () => {
  const none = privileges({});
  expect([
    none.any,
    none.roster('get'),
    none.messages,
    none.presence,
    none.iq('urn:a', 'get'),
    none.rosterPushes,
  ]).toEqual(Array(6).fill(false));
  expect(String(none.toElement())).toBe(`<privilege xmlns='${NS.privilege}'/>`);
});

it('are for the users of the domain that the component lies below, or of those that are named', () => {
  expect(privileges({}).domains).toEqual(['a.lit']);
  expect(privileges({}, 'x.c.b.lit').domains).toEqual(['c.b.lit']);
  expect(privileges({}, 'elsewhere.lit').domains).toEqual(['a.lit', 'b.lit', 'c.b.lit']);
  expect(privileges({ domains: ['b.lit'] }).covers(Jid.parse('romeo@b.lit'))).toBe(true);
  expect(privileges({ domains: ['b.lit'] }).covers(Jid.parse('romeo@a.lit'))).toBe(false);
});

it('are what the component is told', () => {
  const all = privileges({
    roster: 'both',
    message: 'outgoing',
    presence: 'managedEntity',
    iq: [{ namespace: 'urn:a', access: 'get' }, { namespace: 'urn:b' }],
  });
  expect(String(all.toElement())).toBe(
    `<privilege xmlns='${NS.privilege}'><perm access='roster' type='both' push='true'/>` +
      `<perm access='message' type='outgoing'/><perm access='presence' type='managed_entity'/>` +
      `<perm access='iq'><namespace ns='urn:a' type='get'/><namespace ns='urn:b' type='both'/></perm></privilege>`,
  );
  expect(['get', 'set', 'result', undefined].map((type) => all.roster(type))).toEqual([true, true, false, false]);
  expect([all.iq('urn:a', 'get'), all.iq('urn:a', 'set'), all.iq('urn:b', 'set'), all.iq('urn:c', 'get')]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(privileges({ roster: 'set' }).rosterPushes).toBe(false);
  expect(privileges({ roster: 'get', rosterPushes: false }).rosterPushes).toBe(false);
});
