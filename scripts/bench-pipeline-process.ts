// One node in memory, whose clients write to each other without sockets: what scripts/bench-pipeline.ts measures.
import { openKeyspace } from '@parley/keyspace/open';
import { Counter } from '@parley/metrics/counter';
import { Gauge } from '@parley/metrics/gauge';
import { Histogram } from '@parley/metrics/histogram';
import { Registry } from '@parley/metrics/registry';
import { internalAccounts } from '@parley/server/accounts';
import { configurationSchema } from '@parley/server/config/schema';
import { keyspaceMetrics } from '@parley/server/keyspace-metrics';
import { Log } from '@parley/server/log';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { flushAtEndOfTurn } from '@parley/server/net/flush';
import { Node } from '@parley/server/node';
import { startTelemetry } from '@parley/server/telemetry';
import { keyspaceSpans } from '@parley/server/tracing/keyspace-spans';
import type { Tracing } from '@parley/server/tracing/tracing';
import { Jid } from '@parley/xmpp/jid';
import { MemoryTransport } from '../tests/support/memory-transport.ts';
import { benchConfiguration } from './bench-configuration.ts';

/** A node as always, one that can also be told to count nothing, one with a collector, and one that traces stanzas as well. */
export type Variant = 'counted' | 'switched' | 'ready' | 'traced';

/** What is measured next: the node as it is, or with nothing counted. */
export type Measure = 'counted' | 'uncounted';

export interface Order {
  readonly variant: Variant;
  /** Of a collector. */
  readonly endpoint: string;
  readonly folder: string;
}

export interface Measured {
  /** Nanoseconds of the processor for one message, all threads of the process together. */
  readonly nanoseconds: number;
}

const WARM_UP = 100_000;
const AGAIN = 30_000;
const MESSAGES = 25_000;
/** What is read in one turn of the event loop. */
const A_TURN = 50;
const RATIO = 0.01;

const BODY = 'It is the east, and Juliet is the sun. Arise, fair sun, and kill the envious moon, who is already sick.';
const MESSAGE = Buffer.from(
  `<message to='juliet@localhost/balcony' type='chat' id='m1'><body>${BODY}</body></message>`,
);

let counts = true;

const { add, increment } = Counter.prototype;
const { add: addTo, increment: incrementGauge, set } = Gauge.prototype;
const { record } = Histogram.prototype;
const nothing = () => {};

/** Has what counts do so, or do nothing. */
function count(whether: boolean): void {
  counts = whether;
  Object.assign(Counter.prototype, whether ? { add, increment } : { add: nothing, increment: nothing });
  const gauge = { add: addTo, increment: incrementGauge, set };
  Object.assign(Gauge.prototype, whether ? gauge : { add: nothing, increment: nothing, set: nothing });
  Object.assign(Histogram.prototype, { record: whether ? record : nothing });
}

async function startNode({ variant, endpoint, folder }: Order): Promise<{ node: Node; tracing: Tracing | undefined }> {
  const opentelemetry = { endpoint, traces: { ratio: variant === 'traced' ? RATIO : 0 } };
  const config = configurationSchema(moduleSettings(modules)).parse({
    ...benchConfiguration({ port: 0, keyspace: 'embedded::memory:', durability: 'process', folder }),
    listen: { c2s: [], c2sTls: [], http: [] },
    ...(variant === 'ready' || variant === 'traced' ? { opentelemetry } : {}),
  });
  const log = Log.create({ level: 'warn' });
  const registry = new Registry();
  const telemetry = await startTelemetry({ config, registry, log, name: variant });
  const { keyspace } = await openKeyspace(config.keyspace.url, {
    observer: { ...keyspaceMetrics(registry.metrics, log), ...(telemetry && keyspaceSpans('embedded')) },
  });
  const accounts = internalAccounts;
  const tracing = telemetry?.tracing;
  return { node: await Node.start({ config, keyspace, log, modules, registry, accounts, tracing }), tracing };
}

/** What one turn writes goes out at its end, in bytes, as on a connection. */
class TurnTransport extends MemoryTransport {
  #out = '';

  override write(text: string): void {
    if (this.#out === '') flushAtEndOfTurn(this);
    this.#out += text;
  }

  flush(): void {
    const text = this.#out;
    this.#out = '';
    if (counts) this.handler.onWritten?.(Buffer.byteLength(text));
    this.onBytes(Buffer.from(text));
  }

  onBytes: (bytes: Buffer) => void = () => {};
}

interface Client {
  readonly transport: TurnTransport;
  /** Bytes that it was sent. */
  received: number;
}

async function connect(node: Node, address: string): Promise<Client> {
  const jid = Jid.parse(address);
  await node.accounts.create?.(jid.bare, 'secret');
  const transport = new TurnTransport();
  const client = { transport, received: 0 };
  let heard: ((text: string) => void) | undefined;
  transport.onBytes = (bytes) => {
    client.received += bytes.length;
    heard?.(bytes.toString());
  };
  const say = (text: string, until: string) =>
    new Promise<void>((resolve) => {
      heard = (answer) => answer.includes(until) && resolve();
      transport.push(Buffer.from(text));
    });
  const stream = node.attach(transport);
  stream.authenticated(jid.bare, 'TEST');
  const header = `<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
  await say(header, 'features>');
  const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${jid.resource}</resource></bind>`;
  await say(`<iq type='set' id='b'>${bind}</iq>`, '</iq>');
  await say('<presence/>', '<presence');
  heard = undefined;
  return client;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function send(romeo: Client, juliet: Client, messages: number): Promise<void> {
  const before = juliet.received;
  for (let sent = 0; sent < messages; sent++) {
    romeo.transport.push(MESSAGE);
    if (sent % A_TURN === A_TURN - 1) await turn();
  }
  await turn();
  if (juliet.received - before < messages * MESSAGE.length) throw new Error('Messages did not arrive.');
}

/** What one stanza of a hundred goes through is compiled as well, as it is after a while in a node that runs for days. */
async function warmUp(romeo: Client, juliet: Client, tracing: Tracing | undefined): Promise<void> {
  const ratio = tracing?.ratio ?? 0;
  if (tracing !== undefined && ratio > 0) tracing.ratio = 0.5;
  await send(romeo, juliet, WARM_UP);
  if (tracing !== undefined) tracing.ratio = ratio;
  await send(romeo, juliet, WARM_UP);
}

async function measure(romeo: Client, juliet: Client, what: Measure): Promise<Measured> {
  if (counts !== (what === 'counted')) {
    count(what === 'counted');
    await send(romeo, juliet, AGAIN); // what was compiled for the other is compiled anew
  }
  const before = process.cpuUsage();
  await send(romeo, juliet, MESSAGES);
  const { user, system } = process.cpuUsage(before);
  return { nanoseconds: ((user + system) * 1000) / MESSAGES };
}

process.once('message', async (order: Order) => {
  const { node, tracing } = await startNode(order);
  const romeo = await connect(node, 'romeo@localhost/orchard');
  const juliet = await connect(node, 'juliet@localhost/balcony');
  await warmUp(romeo, juliet, tracing);
  process.on('message', async (what: Measure) => process.send?.(await measure(romeo, juliet, what)));
  process.send?.('ready');
});
process.once('disconnect', () => process.exit());
