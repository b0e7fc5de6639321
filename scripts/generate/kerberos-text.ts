/** What docs/authentication.md says of Kerberos. */
export const KERBEROS = `
## Kerberos

GSSAPI (RFC 4752) needs three things: the library of MIT Kerberos on the machine (Debian: \`apt-get install libgssapi-krb5-2\`), a keytab
with a key of the service, and

\`\`\`yaml
authentication:
  mechanisms: [GSSAPI, SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN]
  kerberos:
    keytab: /etc/parley/xmpp.keytab
\`\`\`

\`parley check\` says whether it works, and what is missing where it does not. A node without the library, or without a good keytab,
starts all the same: it logs \`kerberos.unusable\`, and does not offer GSSAPI until that is mended. Nothing of Kerberos is loaded where
GSSAPI is not among the mechanisms. The server never talks to the KDC: it may be down, and people with tickets still get in.

### The service and its keytab

The service is \`xmpp/HOST@REALM\`, where HOST is what clients connect to. Every key of the keytab whose first part is \`xmpp\` is taken,
those of other services are not, so that a keytab may be shared; better it has these keys alone. It belongs to the user that runs the
node, with mode 0600.

| | the service | the keytab |
| --- | --- | --- |
| MIT Kerberos | \`kadmin -q 'addprinc -randkey xmpp/chat.example.com'\` | \`kadmin -q 'ktadd -k /etc/parley/xmpp.keytab xmpp/chat.example.com'\` |
| FreeIPA | \`ipa service-add xmpp/chat.example.com\` | \`ipa-getkeytab -p xmpp/chat.example.com -k /etc/parley/xmpp.keytab\` |
| Active Directory | a user for the service, \`parley-xmpp\` here, that may use AES (\`msDS-SupportedEncryptionTypes\` 24) | \`ktpass -out xmpp.keytab -princ xmpp/chat.example.com@EXAMPLE.COM -mapuser EXAMPLE\\parley-xmpp -crypto AES256-SHA1 -ptype KRB5_NT_PRINCIPAL -pass *\` |

The keytab is read at each login: a new key works as soon as it is in the file, without a restart, and tickets for the key before work
as long as that is still in it, too. So a key is changed by *adding* to the file (\`ktadd\` and \`ipa-getkeytab\` do), and the old one is
taken out (\`ktutil\`) when the longest ticket has expired. Every node needs the new file before clients get tickets for the new key:
put it there from one place.

**Behind a load balancer**, and wherever several machines stand behind one name, clients do not know the name of the machine that they
end up at. All nodes get a keytab with the key of one name, mostly that which clients connect to, and

\`\`\`yaml
authentication:
  kerberos:
    hostName: chat.example.com
\`\`\`

tells clients (XEP-0233), of which some look. Those that follow that document to the letter ask for \`xmpp/HOST/DOMAIN@REALM\`: give the keytab that
one, too. A name that is in the keytab and not in \`hostName\` works as well.

### Whose account it is

| principal | account |
| --- | --- |
| \`juliet@EXAMPLE.COM\` | \`juliet@example.com\`: a realm is trusted with the domain of the same name, unless \`realms\` says which with which |
| \`juliet@OTHER.ORG\`, by cross-realm trust | none, unless \`realms\` has it |
| \`Juliet@EXAMPLE.COM\` | none, unless \`ignoreCase\` is on, as Active Directory wants it |
| \`juliet/admin@EXAMPLE.COM\`, \`host/…\` | none, unless \`principals\` has it |

The account has to be there, among those that the server keeps or in a directory, and must not be disabled there. An authorization identity, where
a client names one, has to be the account itself, as an address or by its local part alone; nobody logs in as somebody else.

### Clients

They need a ticket (\`kinit\`, or a desktop that logs in by Kerberos) and have to find the realm of the host: by \`[domain_realm]\` in their
krb5.conf, where it is not called as its domain is. Tested are slixmpp (python3-kerberos; \`service-name\` in its credentials is the HOST), GNU SASL
and MIT's own library. With SASL2 a client gets tokens by its ticket, too, and comes back by them when that has expired: until then
whoever may not come any more has to be disabled here, or in the directory.

In Active Directory a ticket tells of all groups of a person, and may be longer than what somebody who has not logged in may say: raise
\`stream.beforeAuthentication.maxElementBytes\` to 90,000 where the log says that people with many groups meet that limit. At most 65,536 bytes of a ticket are taken.

### What is guaranteed

- GSSAPI is offered over TLS alone, and negotiates no security layer of its own. It does not bind to the channel (nor is GS2-KRB5
  offered): what keeps somebody in the middle out is the certificate. Both sides prove themselves, or the login fails; tickets that a client delegates are not
  taken; only Kerberos V5 is, not SPNEGO.
- A message that somebody has overheard is of no use. The machine that took it keeps it in mind (the replay cache of the library, in
  /var/tmp, or where \`KRB5RCACHEDIR\` says), and nodes on other machines, which know nothing of it, make a key of their own for it: the
  last message of the exchange has to be signed by that key, which only the owner of the ticket can find out. This holds for AES: tickets
  whose keys are of RC4 or DES are refused. A machine on which nobody may write
  there refuses everybody, and \`kerberos.refused\` says why; \`default_rcache_name = none:\` in krb5.conf does without.
- The library runs in a process of its own beside each node, which knows the keytab and nothing else. Where it falls or hangs, logins by
  Kerberos that were under way fail (\`temporary-auth-failure\`), nothing else does, and it is started again ([0047](decisions/0047-kerberos-beside-the-node.md)).
- A client is told \`not-authorized\` and no more, whatever is wrong with its ticket; \`kerberos.refused\` in the log has the reason.
`;
