import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { pythonWithSlixmpp } from '../services/python.ts';
import { Installation, run } from '../support/process.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function serverWithAccounts() {
  const installation = new Installation();
  await installation.account('romeo@localhost');
  const node = await installation.start();
  await installation.account('juliet@localhost'); // one before the start, one while it runs
  return { node, certificate: installation.certificate };
}

it('lets two slixmpp clients log in, become contacts and chat', async () => {
  const { node, certificate } = await serverWithAccounts();
  const args = [script('slixmpp-chat.py'), String(node.port('c2s')), certificate];
  const { code, stdout, stderr } = await run(pythonWithSlixmpp(), args);
  expect({ code, last: stdout.trim().split('\n').at(-1), stderr: code === 0 ? '' : stdout + stderr }).toEqual({
    code: 0,
    last: 'done',
    stderr: '',
  });
});

it.each(['xmpp', 'xmpps'] as const)('lets two @xmpp/client clients do the same over %s', async (scheme) => {
  const { node, certificate } = await serverWithAccounts();
  const port = node.port(scheme === 'xmpp' ? 'c2s' : 'c2sTls');
  const env = { NODE_EXTRA_CA_CERTS: certificate };
  const args = [script('xmpp-client-chat.mjs'), `${scheme}://localhost:${port}`];
  const { code, stdout, stderr } = await run(process.execPath, args, { env });
  expect({ code, last: stdout.trim().split('\n').at(-1), stderr: code === 0 ? '' : stdout + stderr }).toEqual({
    code: 0,
    last: 'done',
    stderr: '',
  });
});

it('lets an @xmpp/client client log in by SASL2 and come back by a token', async () => {
  const { node, certificate } = await serverWithAccounts();
  const args = [script('xmpp-client-fast.mjs'), String(node.port('c2s'))];
  const { code, stdout, stderr } = await run(process.execPath, args, { env: { NODE_EXTRA_CA_CERTS: certificate } });
  expect({ code, said: stdout.trim().split('\n'), stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    said: ['SCRAM-SHA-1 bound token', 'HT-SHA-256-NONE resumed', 'HT-SHA-256-NONE bound', 'done'],
    stderr: '',
  });
});

it('lets a slixmpp client bind its login to TLS 1.2, by tls-unique', async () => {
  const { node, certificate } = await serverWithAccounts();
  const args = [script('slixmpp-bound.py'), String(node.port('c2s')), certificate];
  const { code, stdout, stderr } = await run(pythonWithSlixmpp(), args);
  expect({ code, said: stdout.trim(), stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    said: 'SCRAM-SHA-512-PLUS over TLSv1.2',
    stderr: '',
  });
});

// What Debian 12 has knows neither Bind 2 nor FAST: this one logs in by the best that it has, and resumes its session.
it("lets Gajim's library log in and have its session again", async () => {
  const { node } = await serverWithAccounts();
  const { code, stdout, stderr } = await run('/usr/bin/python3', [script('nbxmpp-login.py'), String(node.port('c2s'))]);
  expect({ code, said: stdout.trim().split('\n'), stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    said: ['SCRAM-SHA-512 bound romeo@localhost/nbxmpp', 'heard before', 'resumed', 'heard after', 'done'],
    stderr: '',
  });
});
