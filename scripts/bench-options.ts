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
  --nodes N                   nodes of the cluster; 1 so far
  --data DIR                  keep the data there, to start again with it
  --durability process|power  what an acknowledged change survives (embedded; default: process)`;

/** Throws an error in plain words where an option makes no sense. */
export function benchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      keyspace: { type: 'string', default: 'embedded' },
      nodes: { type: 'string', default: '1' },
      data: { type: 'string' },
      durability: { type: 'string', default: 'process' },
    },
  });
  const { keyspace, data, durability } = values;
  const port = Number(values.port);
  const nodes = Number(values.nodes);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('--port must be a number from 1 to 65535');
  if (!/^(embedded|redis|rediss?(\+\w+)?:\/\/.+)$/.test(keyspace)) {
    throw new Error(`--keyspace ${keyspace}: write embedded, redis, or the URL of a Redis`);
  }
  if (nodes !== 1) throw new Error('--nodes: one node is all there is so far');
  if (!['process', 'power'].includes(durability)) throw new Error('--durability must be process or power');
  return { port, keyspace, nodes, durability, ...(data === undefined ? {} : { data }) };
}
