import { parseArgs } from 'node:util';

export interface BenchOptions {
  port: number;
  keyspace: string;
  nodes: number;
  /** Where the data is kept; without it in a folder that goes with the server. */
  data?: string;
  durability: string;
}

export const usage = `npm run --silent bench:server -- --port PORT [options]

  --keyspace embedded         one node that keeps its data itself (the default)
             redis            with a redis-server of its own
             redis://…        with the Redis at this URL
  --nodes N                   so many nodes, a process each, on one Redis and on PORT and the ports after it
  --data DIR                  keep the data there, to start again with it
  --durability process|power  what an acknowledged change survives (embedded; default: process)
  --help                      say this`;

const MOST_NODES = 64;

/** Undefined where help is asked for. Throws an error in plain words where an option makes no sense. */
export function benchOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      keyspace: { type: 'string', default: 'embedded' },
      nodes: { type: 'string', default: '1' },
      data: { type: 'string' },
      durability: { type: 'string', default: 'process' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { keyspace, data, durability } = values;
  const port = Number(values.port);
  const nodes = Number(values.nodes);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('--port must be a number from 1 to 65535');
  if (!/^(embedded|redis|rediss?(\+\w+)?:\/\/.+)$/.test(keyspace)) {
    throw new Error(`--keyspace ${keyspace}: write embedded, redis, or the URL of a Redis`);
  }
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MOST_NODES) {
    throw new Error(`--nodes must be a number from 1 to ${MOST_NODES}`);
  }
  if (nodes > 1 && keyspace === 'embedded') throw new Error('--nodes: several nodes need --keyspace redis');
  if (port + nodes - 1 > 65_535) throw new Error('--port leaves no ports for so many nodes');
  if (!['process', 'power'].includes(durability)) throw new Error('--durability must be process or power');
  return { port, keyspace, nodes, durability, ...(data === undefined ? {} : { data }) };
}
