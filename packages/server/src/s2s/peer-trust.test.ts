import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { federation } from '../config/federation.ts';
import type { PeerCertificate } from '../net/transport.ts';
import { CertificateAuthority, clientCertificate, plainName, purposes, xmppAddress } from '../stream/testing.ts';
import { Authorities } from './authorities.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { PeerTrust } from './peer-trust.ts';
import { peerPolicy } from './policy.ts';
import { PoshFailure } from './posh.ts';
import type { Target } from './resolver.ts';
import type { TlsaRecord } from './tlsa.ts';
import { shownBy } from './trust-testing.ts';

const DOMAIN = 'a.example';
const [FILE, LISTS] = ['/authority.crt', '/revoked.crl'];
const SERVER_PURPOSE = '1.3.6.1.5.5.7.3.1';

type Own = Awaited<ReturnType<typeof clientCertificate>> | Awaited<ReturnType<CertificateAuthority['issue']>>;

let authority: CertificateAuthority;
let usual: Own;
let selfSigned: Own;
beforeAll(async () => {
  authority = await CertificateAuthority.make();
  usual = await authority.issue(plainName(2, DOMAIN));
  selfSigned = await clientCertificate(plainName(2, DOMAIN));
});

/** DANE-EE of a certificate. */
const record = ({ cert }: Own): TlsaRecord => ({
  usage: 3,
  selector: 0,
  matching: 1,
  data: createHash('sha256').update(new X509Certificate(cert).raw).digest(),
});

const target = (tlsa?: readonly TlsaRecord[], host = 'host.example'): Target => ({
  host,
  address: '192.0.2.1',
  port: 5269,
  tls: 'starttls',
  ...(tlsa && { tlsa }),
});

interface About {
  readonly config?: object;
  readonly targets?: readonly Target[] | ConnectionFailure;
  readonly posh?: boolean | PoshFailure;
  readonly lists?: readonly string[];
}

function trust({ config = {}, targets = [], posh = new PoshFailure('there is none'), lists = [] }: About) {
  const parsed = federation.parse({ authorities: FILE, ...config });
  const asked: string[] = [];
  const made = new PeerTrust({
    policy: (domain) => peerPolicy(parsed, domain),
    authorities: () => new Authorities(new Map([[FILE, authority.cert]]), FILE, new Map([[LISTS, lists]])),
    resolver: {
      targets: async (domain) => {
        asked.push(`DNS ${domain}`);
        if (targets instanceof ConnectionFailure) throw targets;
        return targets;
      },
    },
    posh: {
      names: async (_, policy) => {
        asked.push(`POSH ${policy.posh?.url}`);
        if (posh instanceof PoshFailure) throw posh;
        return posh;
      },
    },
  });
  return { made, asked };
}

async function shown(own: Own): Promise<PeerCertificate> {
  const { certificate, fault } = await shownBy(own, authority.cert);
  if (certificate === undefined) throw new Error('It has shown nothing.');
  return { certificate, fault };
}

const BOTH = { dane: true, posh: true, dnssec: { servers: ['127.0.0.1'] } };

describe('of a server that we have connected to', () => {
  const judge = async (own: Own | undefined, where: Target, about: About = {}) => {
    const { made, asked } = trust(about);
    const verdict = await made.ofServer(own && (await shown(own)), DOMAIN, where, () => {});
    return { ...verdict, asked };
  };

  test('an authority is enough, and nothing else is asked', async () => {
    expect(await judge(usual, target(), { config: BOTH })).toMatchObject({ good: true, by: 'certificate', asked: [] });
    expect(await judge(selfSigned, target())).toMatchObject({ good: false, asked: [] });
    expect(await judge(undefined, target())).toEqual({ good: false, words: 'it showed no certificate', asked: [] });
  });

  test('secure DNS is enough by itself, and nobody else where it names another certificate', async () => {
    expect(await judge(selfSigned, target([record(selfSigned)]))).toEqual({
      good: true,
      by: 'dane',
      words: 'secure DNS names its certificate (TLSA 3 0 1 of host.example)',
      asked: [],
    });
    expect(await judge(selfSigned, target([record(usual), record(selfSigned)]))).toMatchObject({ good: true });
    const refused = {
      good: false,
      final: true,
      words: 'secure DNS names other certificates for host.example',
      asked: [],
    };
    expect(await judge(usual, target([record(selfSigned)]), { config: BOTH, posh: true })).toEqual(refused);
    // nor is there a way without encryption
    expect(await judge(undefined, target([record(selfSigned)]))).toMatchObject({ good: false, final: true });
  });

  test('its web server is asked where nobody else vouches for it', async () => {
    const config = { posh: true };
    const asked = [`POSH https://${DOMAIN}/.well-known/posh/xmpp-server.json`];
    expect(await judge(usual, target(), { config, posh: true })).toMatchObject({ by: 'certificate', asked: [] });
    const words = 'the POSH file of its domain names its certificate';
    expect(await judge(selfSigned, target(), { config, posh: true })).toEqual({ good: true, by: 'posh', words, asked });
    expect(await judge(selfSigned, target(), { config, posh: false })).toEqual({
      good: false,
      words: 'its certificate is signed by itself, and its POSH file does not name it',
      asked,
    });
    expect(await judge(selfSigned, target(), { config })).toEqual({
      good: false,
      words: 'its certificate is signed by itself, and there is none',
      asked,
    });
    // what an authority vouches for may be of somebody else
    const other = await authority.issue(plainName(2, 'host.example'));
    expect(await judge(other, target(), { config, posh: true })).toMatchObject({ good: true, by: 'posh' });
  });
});

describe('of somebody who connects', () => {
  const judge = async (own: Own | undefined, about: About = {}) => {
    const { made, asked } = trust(about);
    return { ...(await made.ofClient(own && (await shown(own)), DOMAIN)), asked };
  };

  test('nothing is looked up where the options do not say so, or nothing was shown', async () => {
    expect(await judge(usual)).toMatchObject({ good: true, by: 'certificate', asked: [] });
    expect(await judge(selfSigned)).toMatchObject({ good: false, asked: [] });
    expect(await judge(undefined, { config: BOTH })).toMatchObject({ good: false, asked: [] });
  });

  test('the certificates that secure DNS names for any of its servers are good, and no others', async () => {
    const config = { ...BOTH, posh: false };
    const other = await clientCertificate(plainName(2, 'other.example'));
    const targets = [target([record(other)], 'one.example'), target([record(selfSigned)], 'two.example')];
    expect(await judge(selfSigned, { config, targets })).toMatchObject({
      good: true,
      by: 'dane',
      asked: [`DNS ${DOMAIN}`],
    });
    expect(await judge(usual, { config, targets })).toEqual({
      good: false,
      final: true,
      words: 'secure DNS names other certificates for one.example, two.example',
      asked: [`DNS ${DOMAIN}`],
    });
  });

  test('it may be a server for which DNS names none', async () => {
    const config = BOTH;
    const targets = [target([record(selfSigned)]), target(undefined, 'plain.example')];
    expect(await judge(selfSigned, { config, targets })).toMatchObject({ good: true, by: 'dane' });
    expect(await judge(usual, { config, targets })).toMatchObject({ good: true, by: 'certificate' });
    const third = await clientCertificate(plainName(2, DOMAIN));
    expect(await judge(third, { config, targets })).toMatchObject({ good: false });
    expect(await judge(usual, { config, targets: [target()] })).toMatchObject({ good: true, by: 'certificate' });
  });

  test('where DNS does not answer nothing is believed; where there are no servers it is as always', async () => {
    const away = new ConnectionFailure('dns', 'DNS did not answer.', { timeout: true });
    const told = await judge(usual, { config: BOTH, targets: away, posh: true });
    expect(told).toMatchObject({ good: false, words: expect.stringContaining('DNS did not answer.') });
    const none = new ConnectionFailure('dns', 'It has no XMPP server.', { lasting: true });
    expect(await judge(usual, { config: BOTH, targets: none })).toMatchObject({ good: true, by: 'certificate' });
    expect(await judge(selfSigned, { config: BOTH, targets: none, posh: true })).toMatchObject({ by: 'posh' });
  });

  test('strangers do not have any number of domains looked up at the same time, nor keep others waiting', async () => {
    const waiting: (() => void)[] = [];
    const parsed = federation.parse({ ...BOTH, peers: [{ domain: 'named.example' }] });
    const made = new PeerTrust({
      policy: (domain) => peerPolicy(parsed, domain),
      authorities: () => new Authorities(new Map(), undefined),
      resolver: { targets: () => new Promise((resolve) => waiting.push(() => resolve([]))) },
      posh: { names: async () => true },
    });
    const own = await shown(selfSigned);
    const verdicts = Array.from({ length: 600 }, (_, index) => made.ofClient(own, `x${index}.example`));
    const late = await Promise.all(verdicts.slice(520));
    expect(late.every(({ good, words }) => !good && words.includes('Too many servers'))).toBe(true);
    expect(waiting).toHaveLength(20);
    const named = made.ofClient(own, 'named.example');
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toHaveLength(21);
    waiting.pop()?.();
    expect((await named).by).toBe('posh');
    let served = 0;
    for (let next = waiting.shift(); served < 520; next = waiting.shift()) {
      if (next === undefined) await new Promise((resolve) => setImmediate(resolve));
      else served++;
      next?.();
    }
    expect((await Promise.all(verdicts.slice(0, 520))).every(({ by }) => by === 'posh')).toBe(true);
  });
});

describe('what was revoked', () => {
  const config = { ...BOTH, revocations: LISTS };
  const revoke = async (own: Own, about: About = {}) => {
    const lists = [await authority.revoked('serial' in own ? [own.serial] : [])];
    const { made } = trust({ config, lists, ...about });
    const { certificate, fault } = await shownBy(own, authority.cert, lists);
    if (certificate === undefined) throw new Error('It has shown nothing.');
    const told = await made.ofServer({ certificate, fault }, DOMAIN, target(), () => {});
    return [told, await made.ofClient({ certificate, fault: undefined }, DOMAIN)];
  };

  test('is not good, whoever else says so', async () => {
    const targets = [target([record(usual)])];
    for (const told of await revoke(usual, { posh: true, targets })) {
      expect(told).toMatchObject({ good: false, words: 'its certificate was revoked' });
    }
  });

  test('and what is for servers alone is looked at as well', async () => {
    const own = await authority.issueWith([purposes(SERVER_PURPOSE)], plainName(2, DOMAIN));
    const revoked = [await authority.revoked([own.serial])];
    const certificate = new X509Certificate(own.cert);
    const judge = (lists: readonly string[]) =>
      trust({ config: { revocations: LISTS }, lists }).made.ofClient({ certificate, fault: 'INVALID_PURPOSE' }, DOMAIN);
    expect(await judge(revoked)).toMatchObject({ good: false, words: 'its certificate was revoked' });
    expect(await judge([await authority.revoked([])])).toMatchObject({ good: true, by: 'certificate' });
    expect(await judge([])).toMatchObject({ good: false, words: expect.stringContaining('no revocation list') });
  });
});

test('an expired certificate is not saved by a file of its domain', async () => {
  const { made, asked } = trust({ config: { posh: true }, posh: true });
  const certificate = new X509Certificate(selfSigned.cert);
  Object.defineProperty(certificate, 'validToDate', { value: new Date(1000) });
  const told = await made.ofServer({ certificate, fault: 'CERT_HAS_EXPIRED' }, DOMAIN, target(), () => {});
  expect(told).toEqual({ good: false, words: 'its certificate has expired' });
  expect(asked).toEqual([]);
});

test('an XMPP address counts where an authority without constraints vouches for it', async () => {
  const { made } = trust({});
  const own = await authority.issue(xmppAddress(DOMAIN));
  expect(await made.ofServer(await shown(own), DOMAIN, target(), () => {})).toMatchObject({ good: true });
  expect(await made.ofClient(await shown(own), DOMAIN)).toMatchObject({ good: true });
});
