import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { features, plain } from '../support/login.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { encrypted, logIn } from '../support/network.ts';
import { until } from '../support/talking.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

const SM = NS.streamManagement;
const PAIRS = 6;

const isAnswer = ({ ns, name }: { ns: string; name: string }) => ns === SM && name !== 'r';

/** A client that acknowledges nothing of its own accord, and the name of its session. */
async function resumable(port: number, jid: string): Promise<{ client: TestClient; id: string }> {
  const client = await logIn(port, jid);
  client.send(`<enable xmlns='${SM}' resume='true'/>`);
  const id = (await client.take(isAnswer)).attr('id') ?? '';
  client.send('<presence/>');
  await client.nextPresence(jid);
  return { client, id };
}

async function resume(port: number, local: string, id: string, h: number): Promise<TestClient> {
  const client = await encrypted(port);
  await plain(client, local, 'secret');
  await features(client);
  client.send(`<resume xmlns='${SM}' previd='${id}' h='${h}'/>`);
  expect((await client.take(isAnswer)).name).toBe('resumed');
  return client;
}

/** Clients that talk in pairs, each pair on two nodes, and come back to any node that is up. */
async function talkers(nodes: readonly ClusterProcess[], names: readonly string[], isUp: (port: number) => boolean) {
  const clients = names.map((name, index) => {
    let at = index;
    const next = (): number => {
      const { port } = nodes[at++ % nodes.length] as ClusterProcess;
      return isUp(port) ? port : next();
    };
    return new ManagedClient(`${name}/managed`, next);
  });
  onTestFinished(() => {
    for (const client of clients) client.stop();
  });
  for (const client of clients) await client.start();
  const partner = (index: number) => clients[index ^ 1] as ManagedClient;
  let words = 0;
  return {
    clients,
    speak: () => {
      clients.forEach((client, index) => {
        client.say(partner(index).jid, `w${words}`);
      });
      words++;
    },
    /** Resolves when everybody has heard and acknowledged everything; nothing came twice, or in another order. */
    async understood() {
      const complete = () =>
        clients.every(
          (client, index) =>
            client.acknowledged === client.said.length && partner(index).heard.length >= client.said.length,
        );
      await until(clients, complete);
      clients.forEach((client, index) => {
        expect(partner(index).heard).toEqual(client.said.map((body) => `${client.jid} ${body}`));
      });
    },
  };
}

it('a node that is told to stop hands everything over: nothing gets lost, or comes twice', async () => {
  const names = Array.from({ length: PAIRS * 2 }, (_, index) => `user${index}@localhost`);
  const nodes = await startThreeNodes([...names, 'juliet@localhost'], { drain: { seconds: 8 } });
  const [first, second, third] = nodes as [ClusterProcess, ClusterProcess, ClusterProcess];
  const { clients, speak, understood } = await talkers(nodes, names, (port) => port !== first.port || first.node.alive);
  const there = clients.filter(({ connectedTo }) => connectedTo === first.port);
  expect(there.length).toBe((PAIRS * 2) / 3);

  // two sessions whose clients have not acknowledged what no journal has
  const phone = await logIn(second.port, 'juliet@localhost/phone');
  const balcony = await resumable(first.port, 'juliet@localhost/balcony');
  const hall = await resumable(first.port, 'juliet@localhost/hall');
  for (const place of ['balcony', 'hall']) {
    phone.send(`<presence to='juliet@localhost/${place}'><status>directed</status></presence>`);
    phone.send(`<iq type='get' id='ask' to='juliet@localhost/${place}'><ping xmlns='urn:xmpp:ping'/></iq>`);
  }
  for (const { client } of [balcony, hall]) await client.take(({ name }) => name === 'iq');

  for (let round = 0; round < 20; round++) speak();
  first.node.child.kill('SIGTERM');
  const back = resume(third.port, 'juliet', balcony.id, 0);
  for (let round = 0; round < 20; round++) {
    speak();
    await Promise.race(clients.map((client) => client.changed()));
  }
  await understood();
  for (const client of there) expect(client.resumeTimes.length).toBeGreaterThan(0);
  expect(await first.node.exited).toBe(0);
  speak();
  await understood();

  // the one comes back at once, the other when the node is gone
  for (const client of [await back, await resume(second.port, 'juliet', hall.id, 0)]) {
    const got: string[] = [];
    while (!got.includes('iq')) {
      const stanza = await client.take(({ ns }) => ns === NS.client);
      got.push(stanza.childText('status') ?? stanza.name);
    }
    expect(got.filter((what) => what === 'directed' || what === 'iq')).toEqual(['directed', 'iq']);
  }
  expect(nodes.flatMap(({ node }) => node.log).filter(({ level }) => level === 'error')).toEqual([]);
});

it('`parley drain` empties a node that runs on, and takes it back', async () => {
  const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost'], { drain: { seconds: 4 } });
  const [first, second] = nodes as [ClusterProcess, ClusterProcess];
  const juliet = await resumable(first.port, 'juliet@localhost/balcony');
  const romeo = await logIn(first.port, 'romeo@localhost/orchard');

  const { code, stdout } = await first.installation.parley(['drain', '--wait']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^No session is left\.\n$/m)]);
  expect((await romeo.take(({ name }) => name === 'error')).firstChild?.name).toBe('system-shutdown');
  const health = await fetch(`http://127.0.0.1:${first.node.port('http')}/health/ready`);
  expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('parley drain')]);
  expect((await first.installation.parley(['status'])).stdout).toMatch(/^Drain +no session is left\n/m);
  await expect(logIn(first.port, 'romeo@localhost/orchard')).rejects.toThrow();

  const client = await resume(second.port, 'juliet', juliet.id, 1);
  const cancelled = await first.installation.parley(['drain', '--cancel']);
  expect(cancelled).toMatchObject({ code: 0, stdout: 'The node takes clients in again. It has 0 sessions.\n' });
  const again = await logIn(first.port, 'romeo@localhost/orchard');
  again.send(`<message to='juliet@localhost/balcony' type='chat'><body>There</body></message>`);
  expect((await client.nextMessage()).childText('body')).toBe('There');

  // a stop goes on where a drain has begun
  await first.installation.parley(['drain']);
  expect(await first.node.stop()).toBe(0);
});

it('a node alone has nobody to hand its sessions to', async () => {
  const nodes = await startThreeNodes([], { drain: { seconds: 1 } });
  const [first, ...others] = nodes as [ClusterProcess, ClusterProcess, ClusterProcess];
  for (const { node } of others) {
    const gone = first.node.nextEvent('cluster.gone');
    expect(await node.stop()).toBe(0);
    await gone;
  }
  expect(await first.installation.parley(['drain'])).toMatchObject({
    code: 1,
    stderr: 'There is no other node that could take the sessions of this one.\n',
  });
});
