// Writes to the embedded keyspace in the directory given until it is killed, and tells each write that was
// acknowledged: `lane number`. Four lanes write at once, each its own numbers in order.
import type { Command } from '../command.ts';
import { accountKey } from '../key.ts';
import { openKeyspace } from '../open.ts';

const [directory = '', durability = ''] = process.argv.slice(2);
const { keyspace } = await openKeyspace(`embedded:${directory}`, {
  durability: durability === 'power' ? 'power' : 'process',
  // Snapshots all the time, so that most kills meet one.
  snapshotBytes: 20_000,
  snapshotMilliseconds: 1000,
});

async function write(lane: string): Promise<never> {
  const newest = accountKey('newest', 'crash');
  const last = accountKey('last', 'crash', lane);
  for (;;) {
    const number = Number((await keyspace.hget(newest, lane)) ?? 0) + 1;
    const commands: Command[] = [
      ['hset', newest, [[lane, String(number)]]],
      ['rpush', last, String(number)],
    ];
    if (number > 20) commands.push(['lpop', last]);
    const parked = accountKey('parked', 'crash', lane);
    if (number % 7 === 0) commands.push(['rename', last, parked], ['rename', parked, last]);
    await keyspace.batch(commands, { atomic: true });
    process.stdout.write(`${lane} ${number}\n`); // To a pipe this is synchronous.
  }
}

await Promise.all(['a', 'b', 'c', 'd'].map(write));
