import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { appearOver, logIn } from '../support/network.ts';
import { heard } from '../support/talking.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

it('a node that stood still for too long gives everything up, and starts anew in the same process', async () => {
  // soon, and yet later than a busy machine lets the others stand still
  const cluster = { heartbeatMilliseconds: 300, leaseMilliseconds: 8000, absentMilliseconds: 1200 };
  const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost'], {
    cluster: { ...cluster, secret: 'a secret that only the tests know of' },
  });
  const [first, second] = nodes as [ClusterProcess, ClusterProcess];
  const ports = [first.port, second.port];
  const juliet = new ManagedClient('juliet@localhost/managed', () => ports.shift() ?? second.port);
  onTestFinished(() => juliet.stop());
  await juliet.start();
  const romeo = await appearOver(second.port, 'romeo@localhost/orchard');

  const gone = second.node.nextEvent('cluster.gone');
  first.node.child.kill('SIGSTOP');
  await gone;
  romeo.send(`<message to='${juliet.jid}' type='chat'><body>Speak again</body></message>`);
  juliet.break(); // her connection leads nowhere
  await heard(juliet, 1);
  expect(juliet.connectedTo).toBe(second.port);

  const fenced = first.node.nextEvent('node.fenced');
  const started = first.node.nextEvent('server.started');
  const rejoined = first.node.nextEvent('node.rejoined');
  first.node.child.kill('SIGCONT');
  await Promise.all([fenced, started, rejoined]);
  const http = first.node.log.findLast(({ event }) => event === 'server.started')?.listeners as { port: number }[];
  const get = (path: string) => fetch(`http://127.0.0.1:${http.at(-1)?.port}${path}`);
  expect((await get('/health/ready')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toMatch(/^parley_cluster_fenced_total 1$/m);

  const nurse = await logIn(first.port, 'juliet@localhost/nurse');
  nurse.send(`<message to='${juliet.jid}' type='chat'><body>Anon</body></message>`);
  await heard(juliet, 2);
  expect(juliet.heard).toEqual([`romeo@localhost/orchard Speak again`, `juliet@localhost/nurse Anon`]);
  romeo.send(`<message to='juliet@localhost/nurse' type='chat'><body>Good night</body></message>`);
  expect((await nurse.nextMessage()).childText('body')).toBe('Good night');
  expect((await nurse.request('get', `<ping xmlns='${NS.ping}'/>`, 'localhost')).attr('type')).toBe('result');
  expect(await first.node.stop()).toBe(0);
});
