import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { federation } from '../config/federation.ts';
import { trustIn } from '../net/dial.ts';
import { WebDocumentError, type WebDocumentOptions } from '../net/web-document.ts';
import { clientCertificate } from '../stream/testing.ts';
import { peerPolicy } from './policy.ts';
import { Posh, PoshFailure } from './posh.ts';

const OURS = 'https://a.example/.well-known/posh/xmpp-server.json';
const PUBLIC = '192.0.3.1';

let certificate: X509Certificate;
let other: X509Certificate;
beforeAll(async () => {
  [certificate, other] = (await Promise.all([clientCertificate(), clientCertificate()])).map(
    ({ cert }) => new X509Certificate(cert),
  ) as [X509Certificate, X509Certificate];
});

const file = (made: X509Certificate, expires = 3600) => {
  const sha256 = createHash('sha256').update(made.raw).digest('base64');
  return JSON.stringify({ fingerprints: [{ 'sha-256': sha256 }], expires });
};
const reference = (url: string, expires = 3600) => JSON.stringify({ url, expires });

const policy = (about: object = {}) =>
  peerPolicy(federation.parse({ posh: true, peers: [{ domain: 'a.example', ...about }] }), 'a.example');

type Answers = Record<string, string | Error | ((options: WebDocumentOptions) => Promise<string>)>;

/** Web servers that have these files. */
function web(files: Answers, hosts: Record<string, readonly string[] | Error> = {}) {
  const asked: string[] = [];
  const told: string[] = [];
  const clock = { now: 0 };
  const trust = trustIn('');
  const posh = new Posh({
    timeoutMs: () => 500,
    addresses: async (host) => {
      const found = hosts[host] ?? [PUBLIC];
      if (found instanceof Error) throw found;
      return found;
    },
    trust: () => trust,
    now: () => clock.now,
    fetch: async (options) => {
      asked.push(`${options.address} ${options.url.href}`);
      const found = files[options.url.href] ?? new WebDocumentError('the web server answers 404');
      if (found instanceof Error) throw found;
      return typeof found === 'string' ? found : await found(options);
    },
  });
  const names = (made = certificate, about: object = {}) => posh.names(made, policy(about), (line) => told.push(line));
  const failure = async (about: object = {}): Promise<string> => {
    const error = await names(certificate, about).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PoshFailure);
    return (error as PoshFailure).message;
  };
  return { posh, files, asked, told, clock, names, failure };
}

test('the file of a domain names certificates', async () => {
  const { names, asked, told } = web({ [OURS]: file(certificate) });
  expect(await names()).toBe(true);
  expect(await names(other)).toBe(false);
  expect(asked).toEqual([`${PUBLIC} ${OURS}`]);
  expect(told).toEqual([
    `POSH: asking ${PUBLIC} for ${OURS}`,
    'POSH: 1 fingerprints, for 3600 s',
    `POSH: ${OURS} is known from a while ago`,
  ]);
});

test('no web server is asked where the policy does not say so', async () => {
  const { names, asked } = web({ [OURS]: file(certificate) });
  expect(await names(certificate, { posh: false })).toBe(false);
  expect(asked).toEqual([]);
});

describe('a file that leads to another one', () => {
  const elsewhere = 'https://host.example/x.json';

  test('is followed once, for the shorter time', async () => {
    const { names, asked, clock } = web({ [OURS]: reference(elsewhere, 100), [elsewhere]: file(certificate, 5000) });
    expect(await names()).toBe(true);
    expect(asked).toEqual([`${PUBLIC} ${OURS}`, `${PUBLIC} ${elsewhere}`]);
    clock.now = 99_000;
    await names();
    expect(asked).toHaveLength(2);
    clock.now = 101_000;
    await names();
    expect(asked).toHaveLength(4);
  });

  test('is not followed in circles, nor any further', async () => {
    const circle = web({ [OURS]: reference(OURS) });
    expect(await circle.failure()).toContain('third address');
    expect(circle.asked).toHaveLength(2);
    const chain = web({ [OURS]: reference(elsewhere), [elsewhere]: reference('https://third.example/') });
    expect(await chain.failure()).toContain('third address');
    expect(chain.asked).toHaveLength(2);
  });

  test.each([
    ['http://host.example/x.json', /https/],
    ['https://host.example:22/x.json', /port of its own/],
    ['https://192.0.3.7/x.json', /mere address/],
    ['https://[2606:4700::1]/x.json', /mere address/],
    ['https://2130706433/x.json', /mere address/],
  ])('%s is not asked', async (url, message) => {
    const { failure, asked } = web({ [OURS]: reference(url) });
    expect(await failure()).toMatch(message);
    expect(asked).toHaveLength(1);
  });
});

describe('on the word of a stranger nobody is asked', () => {
  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1'])(
    'at %s',
    async (address) => {
      const first = web({ [OURS]: file(certificate) }, { 'a.example': [address] });
      expect(await first.failure()).toContain('no address of the public internet');
      expect(first.asked).toEqual([]);
      const elsewhere = 'https://inside.example/';
      const second = web(
        { [OURS]: reference(elsewhere), [elsewhere]: file(certificate) },
        { 'inside.example': [address] },
      );
      expect(await second.failure()).toContain('no address of the public internet');
      expect(second.asked).toHaveLength(1);
    },
  );

  test('where only some addresses are private the others are', async () => {
    const { names, asked } = web({ [OURS]: file(certificate) }, { 'a.example': ['10.0.0.1', PUBLIC, '::1'] });
    expect(await names()).toBe(true);
    expect(asked).toEqual([`${PUBLIC} ${OURS}`]);
  });

  test('but where the operator has named the file', async () => {
    const poshUrl = 'https://files.internal:8443/a.json';
    const files = { [poshUrl]: reference('https://inside.example/'), 'https://inside.example/': file(certificate) };
    const hosts = { 'files.internal': ['10.0.0.1'], 'inside.example': ['10.0.0.2'] };
    const { failure, asked } = web(files, hosts);
    // what stands in it is a stranger's word again
    expect(await failure({ poshUrl })).toContain('inside.example has no address of the public internet');
    expect(asked).toEqual([`10.0.0.1 ${poshUrl}`]);
    const plain = web({ [poshUrl]: file(certificate) }, hosts);
    expect(await plain.names(certificate, { poshUrl })).toBe(true);
    const literal = web({ 'https://127.0.0.1:8443/': file(certificate) });
    expect(await literal.names(certificate, { poshUrl: 'https://127.0.0.1:8443/' })).toBe(true);
  });
});

describe('what is known', () => {
  test('holds for as long as the file says, and a day at most', async () => {
    const { names, asked, clock } = web({ [OURS]: file(certificate, 1e9) });
    await names();
    clock.now = 86_399_000;
    await names();
    expect(asked).toHaveLength(1);
    clock.now = 86_401_000;
    await names();
    expect(asked).toHaveLength(2);
  });

  test('is asked for anew where a certificate is not in it, once a minute', async () => {
    const { names, asked, clock, files } = web({ [OURS]: file(other) });
    expect(await names()).toBe(false);
    files[OURS] = file(certificate);
    clock.now = 59_000;
    expect(await names()).toBe(false);
    expect(asked).toHaveLength(1);
    clock.now = 61_000;
    expect(await names()).toBe(true);
    expect(asked).toHaveLength(2);
  });

  test('is a failure for a minute', async () => {
    const { failure, names, asked, clock, files } = web({});
    expect(await failure()).toContain('its POSH file does not help: the web server answers 404');
    files[OURS] = file(certificate);
    clock.now = 59_000;
    await failure();
    expect(asked).toHaveLength(1);
    clock.now = 61_000;
    expect(await names()).toBe(true);
  });

  test('is forgotten where somebody wants to know', async () => {
    const { posh, names, asked } = web({ [OURS]: file(certificate) });
    await names();
    posh.forget(policy());
    await names();
    expect(asked).toHaveLength(2);
    posh.clear();
    await names();
    expect(asked).toHaveLength(3);
  });

  test('is asked for once by many at the same time', async () => {
    const { names, asked } = web({ [OURS]: file(certificate) });
    expect(await Promise.all([names(), names(), names(other)])).toEqual([true, true, false]);
    expect(asked).toHaveLength(1);
  });
});

describe('no file', () => {
  test('where the web server does not give one that can be believed', async () => {
    expect(await web({ [OURS]: 'x' }).failure()).toContain('not JSON');
    expect(await web({ [OURS]: new WebDocumentError('it is larger than 1 byte') }).failure()).toContain('larger');
    expect(await web({}, { 'a.example': new Error('away') }).failure()).toContain('DNS knows no address of a.example');
    expect(await web({}, { 'a.example': [] }).failure()).toContain('no address');
  });

  test('where all of it takes too long', async () => {
    const slow = (options: WebDocumentOptions) =>
      new Promise<string>((_, reject) => {
        options.signal.addEventListener('abort', () => reject(new WebDocumentError('it did not come in time')));
      });
    const { failure, asked } = web({ [OURS]: slow }, { 'a.example': [PUBLIC, '192.0.3.2'] });
    expect(await failure()).toContain('in time');
    expect(asked).toHaveLength(1);
  });

  test('at one address, another one is tried', async () => {
    const broken = async ({ address }: WebDocumentOptions) => {
      if (address === PUBLIC) throw new WebDocumentError('away');
      return file(certificate);
    };
    const { names, asked } = web({ [OURS]: broken }, { 'a.example': [PUBLIC, '192.0.3.2', '192.0.3.3'] });
    expect(await names()).toBe(true);
    expect(asked).toHaveLength(2);
  });
});
