import { once } from 'node:events';
import { connect } from 'node:net';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { appearOver, logIn } from '../support/network.ts';
import { Installation } from '../support/process.ts';

async function streamError(client: TestClient): Promise<string | undefined> {
  const error = await client.take(({ name }) => name === 'error');
  await client.closed;
  return error.firstChild?.name;
}

it('on SIGTERM takes leave of everybody, finishes what it has begun, and ends well', async () => {
  const installation = new Installation({ stream: { closeTimeoutSeconds: 1 } });
  await installation.accounts('romeo@localhost', 'juliet@localhost', 'nurse@localhost');
  const node = await installation.start();
  const port = node.port('c2s');
  const romeo = await appearOver(port, 'romeo@localhost/orchard');
  const juliet = await appearOver(port, 'juliet@localhost/balcony');
  const stranger = connect({ port, host: '127.0.0.1' }); // says nothing at all
  onTestFinished(() => void stranger.destroy());
  stranger.resume();
  await once(stranger, 'connect');
  const bodies = Array.from({ length: 200 }, (_, index) => `word ${index}`);
  for (const body of bodies) romeo.send(`<message type='chat' to='nurse@localhost'><body>${body}</body></message>`);
  await romeo.sync();

  const strangerEnds = once(stranger, 'close');
  node.child.kill('SIGTERM');
  expect(await Promise.all([streamError(romeo), streamError(juliet)])).toEqual(['system-shutdown', 'system-shutdown']);
  await strangerEnds;
  expect(await node.exited).toBe(0);
  expect(node.log.filter(({ level }) => level !== 'info')).toEqual([]);

  const again = await installation.start();
  const nurse = await logIn(again.port('c2s'), 'nurse@localhost/hall');
  nurse.send('<presence/>');
  for (const body of bodies) expect((await nurse.nextMessage()).childText('body')).toBe(body);
  const last = await nurse.request('get', `<query xmlns='${NS.last}'/>`, 'nurse@localhost');
  expect(last.attr('type')).toBe('result');
  expect(await again.stop()).toBe(0);
});

/** A node that may stop for so long, and a client of it that does not take its leave. */
async function withSilent(seconds: number) {
  const installation = new Installation({ stream: { closeTimeoutSeconds: 60 }, drain: { seconds } });
  const node = await installation.start();
  const silent = connect({ port: node.port('c2s'), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void silent.destroy());
  silent.write(`<stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' to='localhost' version='1.0'>`);
  await once(silent, 'data');
  return { node, silent };
}

it('goes on taking leave where npm hands on the Ctrl-C that the terminal has sent to both', async () => {
  const { node } = await withSilent(1);
  node.child.kill('SIGINT');
  await node.event('node.stopping');
  node.child.kill('SIGINT');
  expect(await node.exited).toBe(0);
});

it('is not ready any more while it takes leave', async () => {
  const { node, silent } = await withSilent(60);
  node.child.kill('SIGTERM');
  silent.resume();
  await once(silent, 'end'); // and keeps its own half open
  const health = await fetch(`http://127.0.0.1:${node.port('http')}/health/ready`);
  expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('the node is stopping')]);
  silent.end();
  expect(await node.exited).toBe(0);
});

it('waits for nobody longer than it may', async () => {
  const { node, silent } = await withSilent(1);
  node.child.kill('SIGTERM');
  silent.resume();
  await once(silent, 'end');
  expect(await node.exited).toBe(0);
});
