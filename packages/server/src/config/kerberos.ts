import { domainPart, Jid, JidError } from '@parley/xmpp/jid';
import * as z from 'zod';
import { file, flag, section } from './option.ts';
import { prepared } from './prepared.ts';

const live = true;

const realm = z
  .string()
  .max(255)
  .regex(/^[^\s/@\\:]+$/, 'is not a realm: write EXAMPLE.COM');

const address = prepared('the bare address of an account', (text) => {
  const jid = Jid.parse(text);
  if (!jid.isBare || jid.isDomain) throw new JidError('write it as user@domain');
  return jid.bareText;
});

const host = z
  .string()
  .max(255)
  .regex(/^[a-z0-9.-]*$/i, 'is not the name of a host: write chat.example.com');

/** Logins by tickets of Kerberos. */
export const kerberos = section('Logins by Kerberos, where GSSAPI is among the mechanisms.', {
  keytab: file({
    live,
    description:
      'The keytab with the keys of `xmpp/HOST@REALM`. It is read at each login: a new key needs no restart. GSSAPI needs it.',
  }),
  hostName: host.default('').meta({
    live,
    description:
      'The HOST for which clients are to ask for a ticket (XEP-0233), where several machines stand behind one name. Empty: they take the one that they connect to, or the domain.',
  }),
  realms: z
    .array(
      z.strictObject({
        name: realm.meta({ description: 'The realm.' }),
        domain: prepared('a domain', domainPart).meta({
          description: 'The domain in which its principals have their accounts: `juliet@REALM` is `juliet@domain`.',
        }),
      }),
    )
    .max(1000)
    .prefault([])
    .meta({
      live,
      description:
        'Which realms are trusted with the accounts of which domains. Empty: each domain’s own name in capitals.',
    }),
  principals: z
    .array(
      z.strictObject({
        name: z
          .string()
          .max(1024)
          .regex(/^[^@]*[^@\\]@[^\s/@\\:]+$/, 'is not a principal: write user/instance@REALM')
          .meta({ description: 'The principal in full, as `klist` writes it.' }),
        account: address.meta({ description: 'The bare address of its account.' }),
      }),
    )
    .max(10_000)
    .prefault([])
    .meta({
      live,
      description:
        'Principals whose accounts have other names. Those with an instance, such as `romeo/admin@REALM`, have no other account than one that stands here.',
    }),
  ignoreCase: flag(false, {
    live,
    description:
      'Addresses are in lower case. With this a principal in capitals of ASCII has the same account, which is right for Active Directory; other realms may have two people of whom one is Romeo and the other one romeo.',
  }),
  library: z.string().min(1).max(4096).default('libgssapi_krb5.so.2').meta({
    live,
    description: 'The GSS-API library of MIT Kerberos: its name, or its path. Debian has it in libgssapi-krb5-2.',
  }),
});

export type KerberosConfiguration = z.infer<typeof kerberos>;
