import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { pythonWithSlixmpp } from '../services/python.ts';
import { LossyProxy } from '../support/lossy-proxy.ts';
import { Installation } from '../support/process.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function start() {
  const installation = new Installation();
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const port = node.port('c2s');
  return { node, proxy: await LossyProxy.to(port), port: String(port), certificate: installation.certificate };
}

/** Runs a client that says when its connection is to be lost. */
async function tell(program: string, args: string[], env: object, on: Record<'lose' | 'cut', () => void>) {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line !== 'lose' && line !== 'cut') return;
    on[line]();
    child.stdin.write('\n');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, last: lines.at(-1), stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, last: 'done', stderr: '' });
}

it('lets a slixmpp client resume its session and lose nothing', async () => {
  const { node, proxy, port, certificate } = await start();
  const args = [script('slixmpp-resumption.py'), port, String(proxy.port), certificate];
  // of what it sends itself it forgets what is not acknowledged, so that must arrive
  await tell(pythonWithSlixmpp(), args, {}, { lose: () => proxy.lose('to the client'), cut: () => proxy.cut() });
  await expect.poll(() => node.log.filter(({ event }) => event === 'session.resumed').length).toBe(3); // logs come a moment later
});

it('lets an @xmpp/client client resume its session and lose nothing', async () => {
  const { node, proxy, port, certificate } = await start();
  const args = [script('xmpp-client-resumption.mjs'), port, String(proxy.port)];
  const env = { NODE_EXTRA_CA_CERTS: certificate };
  await tell(process.execPath, args, env, { lose: () => proxy.lose('both'), cut: () => proxy.cut() });
  await expect.poll(() => node.log.filter(({ event }) => event === 'session.resumed').length).toBe(3); // logs come a moment later
});
