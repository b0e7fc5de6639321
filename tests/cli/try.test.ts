import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../services/certificates.ts';
import { startRedis } from '../services/redis.ts';
import { Installation, type RunningParley } from '../support/process.ts';

const CHAT = [
  /^(\S+)@localhost\/\S+ is logged in by SCRAM-SHA-512 \(TLSv1\.3, CN=Parley self-signed certificate, by [^,]+, until \d{4}-\d\d-\d\d\)\.$/,
  /^\S+@localhost\/\S+ is logged in by SCRAM-SHA-512 \(/,
  /^A message from \S+@localhost reached \S+@localhost after \d+ ms\.$/,
  /^A message from \S+@localhost reached \S+@localhost after \d+ ms\.$/,
  /^Two users can log in and chat\.$/,
];

const where = (node: RunningParley, port: 'c2s' | 'c2sTls' = 'c2s') => ['--server', `localhost:${node.port(port)}`];

function expectLines(text: string, patterns: readonly RegExp[]): void {
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(patterns.length);
  for (const [index, pattern] of patterns.entries()) expect(lines[index]).toMatch(pattern);
}

it('two accounts that it makes chat, over both kinds of TLS, and are gone afterwards', async () => {
  const installation = new Installation();
  const node = await installation.start();
  const trust = ['--authorities', installation.certificate];
  for (const way of [where(node), [...where(node, 'c2sTls'), '--direct-tls']]) {
    const { code, stdout, stderr } = await installation.parley(['try', ...way, ...trust]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expectLines(stdout, [/^Made for it: try-[0-9a-f]{12}@localhost and try-[0-9a-f]{12}@localhost\.$/, ...CHAT]);
  }
  expect((await installation.parley(['account', 'list'])).stdout).toBe('');
});

it('on a machine without a node, as in a pod of its own, it makes them in Redis', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const shared = { keyspace: { url: redis.url }, cluster: { secret: 'a secret that only the tests know of' } };
  const [nodes, pod] = [new Installation(shared), new Installation(shared)];
  const node = await nodes.start();
  const { code, stdout, stderr } = await pod.parley(['try', ...where(node), '--any-certificate']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expectLines(stdout, [/^Made for it: /, ...CHAT]);
  expect((await nodes.parley(['account', 'list'])).stdout).toBe('');
});

it('says what does not work', async () => {
  const installation = new Installation();
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const accounts = (...lines: string[]) => {
    const file = join(installation.folder, 'accounts');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return ['--accounts', file];
  };
  const both = ['romeo@localhost secret', 'juliet@localhost secret'];
  const any = '--any-certificate';
  const attempt = async (...words: string[]) => {
    const { code, stdout, stderr } = await installation.parley(['try', ...words]);
    return { code, stdout, stderr };
  };
  expect(await attempt(...where(node), any, ...accounts(...both))).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^romeo@localhost\/[\s\S]*can log in and chat\.\n$/),
  });
  expect(await attempt(...where(node), ...accounts(...both))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^The certificate is not good \(DEPTH_ZERO_SELF_SIGNED_CERT\): CN=Parley self-signed certificate, by /,
    ),
  });
  expect(await attempt(...where(node), any, ...accounts('romeo@localhost wrong', both[1] as string))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^romeo@localhost cannot log in by SCRAM-SHA-512: not-authorized/),
  });
  expect(await attempt('--server', 'localhost:1', any, ...accounts(...both))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^No connection to localhost, port 1: .*ECONNREFUSED/),
  });
  expect(await attempt(...where(node), '--direct-tls', any, ...accounts(...both))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The connection could not be encrypted: /),
  });
  expect(await attempt(...where(node), any, ...accounts('romeo@capulet.lit x', 'juliet@capulet.lit x'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the server says host-unknown/),
  });
  expect(await attempt(any, ...accounts(...both))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no such port that clients reach by themselves: give --server/),
  });
});

it('gives no password to a server that has not proved who it is', async () => {
  const installation = new Installation();
  const certificates = makeCertificates(join(installation.folder, 'certificates'));
  installation.configure({
    tls: { certificate: certificates.certificate('wrong-host'), key: certificates.key('wrong-host') },
    authentication: { mechanisms: ['PLAIN'] },
  });
  const node = await installation.start();
  const failed = async (...words: string[]) => {
    const { code, stdout, stderr } = await installation.parley(['try', ...where(node), ...words]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/^Made for it: .*\n$/) });
    return stderr;
  };
  expect(await failed('--authorities', certificates.authority)).toBe(
    'The certificate is not for localhost: it names DNS:elsewhere.example.\n',
  );
  expect(await failed('--any-certificate')).toMatch(/^Only PLAIN is offered, .*: the password is not sent\.\n$/);
  expect((await installation.parley(['account', 'list'])).stdout).toBe('');
});
