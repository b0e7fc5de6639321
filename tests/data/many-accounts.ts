/** An export of many accounts, in pieces, each with a roster and messages that wait. */
export function* manyAccounts(count: number, domain = 'localhost'): Generator<string> {
  yield `<?xml version='1.0'?><server-data xmlns='urn:xmpp:pie:0'><host jid='${domain}'>`;
  for (let n = 0; n < count; n++) yield oneAccount(n, domain);
  yield '</host></server-data>';
}

export const CONTACTS = 20;
export const MESSAGES = 5;

function oneAccount(n: number, domain: string): string {
  const contacts = Array.from(
    { length: CONTACTS },
    (_, i) =>
      `<item jid='u${n + i + 1}@${domain}' name='Number ${n + i + 1}' subscription='both'><group>All</group></item>`,
  );
  const messages = Array.from(
    { length: MESSAGES },
    (_, i) =>
      `<message xmlns='jabber:client' from='u${n + 1}@${domain}/x' to='u${n}@${domain}' type='chat'><body>m${n}.${i}</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:0${i}Z'/></message>`,
  );
  return `<user name='u${n}'><query xmlns='jabber:iq:roster'>${contacts.join('')}</query><offline-messages>${messages.join('')}</offline-messages></user>\n`;
}
