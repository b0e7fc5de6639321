// A server under whose clients everything breaks, again and again. A short form of it runs with all tests;
//
//     npm run chaos -- --minutes 20 --seed 7 --clients 40
//
// runs it longer, and prints its figures. Faults and their times follow from the seed; what they hit depends on how fast
// the machine is.
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { judge } from './ledger.ts';
import { Random } from './random.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 15);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const CLIENTS = Number(process.env.CHAOS_CLIENTS ?? 10);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

class Chaos {
  readonly random = new Random(SEED);
  readonly faults = { killed: 0, stopped: 0, terminated: 0, cut: 0 };
  readonly clients: ManagedClient[];
  node!: RunningParley;
  readonly #installation: Installation;

  constructor(installation: Installation, clients: ManagedClient[]) {
    this.#installation = installation;
    this.clients = clients;
  }

  async start(): Promise<void> {
    this.node = await this.#installation.start();
  }

  partnerOf = (index: number): ManagedClient => this.clients[index ^ 1] as ManagedClient;

  /** Something breaks. */
  async fault(): Promise<void> {
    const what = this.random.next();
    if (what < 0.2) {
      this.faults.killed++;
      await this.node.kill();
      await this.start();
    } else if (what < 0.3) {
      this.faults.terminated++;
      await this.node.stop();
      await this.start();
    } else if (what < 0.45) {
      this.faults.stopped++;
      this.node.child.kill('SIGSTOP');
      await pause(this.random.between(100, 2000));
      this.node.child.kill('SIGCONT');
    } else {
      for (let i = this.random.between(1, this.clients.length / 2); i > 0; i--) {
        this.faults.cut++;
        this.random.pick(this.clients).break();
      }
    }
  }
}

it(
  'whatever breaks, nothing that was acknowledged is lost, doubled or reordered',
  async () => {
    const port = await freePort();
    const installation = new Installation({
      listen: { c2s: [{ host: '127.0.0.1', port }], c2sTls: [], http: [] },
      limits: { stanzas: { perSecond: 0 }, bytes: { perSecond: 0 }, connections: { trustedNetworks: ['127.0.0.0/8'] } },
      drain: { seconds: 1 },
    });
    const names = Array.from({ length: CLIENTS }, (_, index) => `user${index}@localhost`);
    await installation.accounts(...names);
    const chaos = new Chaos(
      installation,
      names.map((name) => new ManagedClient(`${name}/chaos`, () => port)),
    );
    await chaos.start();
    const { clients } = chaos;
    onTestFinished(() => {
      for (const client of clients) client.stop();
    });
    for (const client of clients) await client.start();

    const end = Date.now() + SECONDS * 1000;
    let words = 0;
    const talk = async () => {
      while (Date.now() < end) {
        clients.forEach((client, index) => {
          if (client.said.length - client.acknowledged < 100) client.say(chaos.partnerOf(index).jid, `w${words}`);
        });
        words++;
        await pause(5);
      }
    };
    const breakThings = async () => {
      while (Date.now() < end) {
        await pause(chaos.random.between(50, 1500));
        await chaos.fault();
      }
    };
    await Promise.all([talk(), breakThings()]);

    const complete = () =>
      clients.every((client, index) => {
        const all = client.said.length;
        return client.acknowledged === all && chaos.partnerOf(index).heard.length >= all;
      });
    while (!complete()) await Promise.race(clients.map((client) => client.changed()));

    const verdict = judge(clients, chaos.partnerOf);
    const times = clients.flatMap((client) => client.resumeTimes).sort((a, b) => a - b);
    const resumed = { times: times.length, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] };
    await Promise.all(clients.map((client) => client.close()));
    const { sessions } = JSON.parse((await installation.parley(['status', '--json'])).stdout) as { sessions: number };
    const figures = {
      seed: SEED,
      seconds: SECONDS,
      clients: CLIENTS,
      ...verdict,
      ghosts: sessions,
      ...chaos.faults,
      resumed,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    expect(figures).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, ghosts: 0, acknowledged: verdict.said });
  },
  SECONDS * 1000 + 120_000,
);
