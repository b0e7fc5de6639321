import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '@parley/server/net/self-signed';
import { expect, it } from 'vitest';
import { Chat } from '../support/chat.ts';
import { appearOver, shownCertificate } from '../support/network.ts';
import { Installation } from '../support/process.ts';

it('takes a certificate that is changed as Kubernetes changes a mounted Secret, by itself', async () => {
  const installation = new Installation();
  const mount = join(installation.folder, 'tls');
  let versions = 0;
  /** What the kubelet does: a folder of its own for each version, and one link that is replaced at once. */
  const project = ({ certificate, key }: { certificate: string; key: string }) => {
    const version = `..2026_11_26_18_00_00.${++versions}`;
    mkdirSync(join(mount, version), { recursive: true });
    writeFileSync(join(mount, version, 'tls.crt'), certificate);
    writeFileSync(join(mount, version, 'tls.key'), key);
    symlinkSync(version, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  project(await selfSigned(['localhost']));
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(mount, name));
  installation.configure({ tls: { certificate: join(mount, 'tls.crt'), key: join(mount, 'tls.key') } });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const chat = new Chat(romeo, await appearOver(node.port('c2s'), 'juliet@localhost/balcony'));
  const first = await shownCertificate(node.port('c2sTls'));

  project(await selfSigned(['localhost']));
  expect(await node.nextEvent('certificates.reloaded')).toMatchObject({ domains: ['localhost'] });
  expect(await shownCertificate(node.port('c2sTls'))).not.toBe(first);
  await chat.goesOn();
  await chat.end();
});
