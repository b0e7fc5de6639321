import { NS } from '@parley/xmpp/namespaces';
import { TestClient } from '../support/client.ts';
import { features, plain } from '../support/login.ts';
import { socketWire } from '../support/wires.ts';
import type { TestDns } from './dns.ts';
import type { CertificatePair } from './domain-certificates.ts';

export interface XmppPeerOptions {
  readonly domain: string;
  readonly dns: TestDns;
  readonly certificate: CertificatePair;
  /** The file of those who vouch for others. */
  readonly authority: string;
  /** It takes no word but that of a certificate. */
  readonly secure: boolean;
  /** Stanzas go both ways on one stream where the other side can do that, too (XEP-0288); Prosody alone. */
  readonly bidirectional?: boolean;
  /** It keeps passwords for SCRAM alone. */
  readonly scram?: boolean;
  /** What it keeps of accounts are files of XEP-0227; Prosody alone. */
  readonly portable?: boolean;
  /** Another domain that it has; ejabberd alone. */
  readonly also?: string | undefined;
}

/** Another XMPP server, of another make. */
export interface XmppPeer {
  readonly domain: string;
  /** Where all of its files are. */
  readonly folder: string;
  /** Where clients connect, without encryption. */
  readonly port: number;
  /** Where other servers connect: with STARTTLS, and with TLS from the first byte. */
  readonly serverPorts: { readonly starttls: number; readonly direct: number };
  /** What it shows of itself. */
  readonly certificate: CertificatePair;
  /** What it has logged lately, for whoever wants to know why something failed. */
  readonly said: string;
  /** Whether a user, whose account was made, is there after it was killed. */
  keeps(user: string): boolean;
  /** Breaks it off. */
  kill(): Promise<void>;
  /** Starts it again on the same ports, with what it had. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

/** A client of such a server, whose account is made, logged in and bound; it has sent no presence. */
export async function clientOf(peer: XmppPeer, user: string, resource = 'there'): Promise<TestClient> {
  const client = new TestClient(await socketWire(peer.port));
  client.open(peer.domain);
  await features(client);
  await client.request(
    'set',
    `<query xmlns='${NS.register}'><username>${user}</username><password>secret</password></query>`,
  );
  const answer = await plain(client, user, 'secret');
  if (answer.name !== 'success') throw new Error(`${user} cannot log in at ${peer.domain}: ${answer}`);
  await features(client);
  const bound = await client.request('set', `<bind xmlns='${NS.bind}'><resource>${resource}</resource></bind>`);
  client.jid = bound.firstChild?.childText('jid') ?? '';
  if (client.jid === '') throw new Error(`Not bound at ${peer.domain}: ${bound}`);
  return client;
}
