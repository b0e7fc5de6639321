import { randomBytes } from 'node:crypto';
import { Jid, JidError } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { Failed, Usage } from './exit.ts';
import { TrialClient, type TrialServer } from './trial-client.ts';

export interface TrialAccount {
  readonly jid: Jid;
  readonly password: string;
}

/**
 * Has two accounts log in, write to each other and answer. Each step that worked is told; the first that does not is a
 * Failed.
 */
export async function tryToChat(
  accounts: readonly [TrialAccount, TrialAccount],
  server: TrialServer,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  await using clients = new AsyncDisposableStack();
  const logIn = async ({ jid, password }: TrialAccount) => {
    const client = clients.use(await TrialClient.logIn(jid, password, server, signal));
    say(`${client.fullJid} is logged in by ${client.mechanism} (${client.encryption}).`);
    return client;
  };
  const first = await logIn(accounts[0]);
  const second = await logIn(accounts[1]);
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const begun = performance.now();
    await tell(from, to);
    const took = Math.ceil(performance.now() - begun);
    say(`A message from ${from.account} reached ${to.account} after ${took} ms.`);
  }
}

/** To the very session that it has: those who have one of the two accounts open elsewhere notice nothing. */
async function tell(from: TrialClient, to: TrialClient): Promise<void> {
  const text = randomBytes(12).toString('hex');
  const id = randomBytes(6).toString('hex');
  from.send(`<message to='${to.fullJid}' id='${id}' type='chat'><body>${text}</body></message>`);
  const arrived = to.take((stanza) => stanza.name === 'message' && stanza.childText('body') === text);
  const refused = from.take((stanza) => stanza.attr('id') === id && stanza.attr('type') === 'error');
  refused.catch(() => {}); // where it has arrived, nobody waits for that
  const said = await Promise.race([arrived, refused]);
  const condition = said.child('error', NS.client)?.firstChild?.name;
  if (condition !== undefined) throw new Failed(`A message from ${from.account} was refused: ${condition}.`);
}

/** Two addresses and passwords: a line each, with a space in between. */
export function accountsIn(text: string): [TrialAccount, TrialAccount] {
  const accounts = text.split(/\r?\n/).flatMap((line): TrialAccount[] => {
    const [, jid = '', password = ''] = /^(\S+) (.+)$/.exec(line) ?? [];
    return line === '' ? [] : [{ jid: account(jid), password }];
  });
  const [first, second, ...more] = accounts;
  if (first === undefined || second === undefined || more.length > 0) {
    throw new Usage(`The accounts to try are two, one a line, and there are ${accounts.length}.`);
  }
  return [first, second];
}

function account(text: string): Jid {
  try {
    const jid = Jid.parse(text);
    if (jid.isBare && !jid.isDomain) return jid;
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
  }
  throw new Usage(
    'Each line of the accounts to try is an address and a password: alice@example.org and a space before it.',
  );
}
