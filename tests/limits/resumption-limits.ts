import { enable, resume } from '../support/resumption.ts';
import type { Limit, LimitTable, Scene } from './limit.ts';

const TYBALT = 'tybalt@localhost/square';

/** Somebody takes what is said to him and never acknowledges it. What he and his friend see in the end. */
const silent = (unacknowledged: object, text: string): Limit => ({
  config: { limits: { unacknowledged } },
  async exceed(scene) {
    const { server } = scene;
    const client = await scene.user(TYBALT);
    const id = (await enable(client)).attr('id') ?? '';
    const friend = await server.client('petruchio@localhost/square');
    for (let number = 0; number < 4; number++) {
      friend.send(`<message to='${TYBALT}' type='chat'><body>${number}${text}</body></message>`);
    }
    await client.closed;
    await server.node.hooks.pending.idle();
    const { answer } = await resume(server, TYBALT, id, 0);
    const again = await server.client(TYBALT);
    again.send('<presence/>');
    const words: string[] = [];
    while (words.length < 4) words.push((await again.nextMessage()).childText('body')?.slice(0, 1) ?? '');
    return [answer.name, words.sort()];
  },
  sees: ['failed', ['0', '1', '2', '3']],
});

/** Connections get lost, one after the other; which of the sessions can be resumed. */
async function lose(scene: Scene): Promise<string[]> {
  const ids: string[] = [];
  for (const resource of ['a', 'b', 'c']) {
    const client = await scene.user(`tybalt@localhost/${resource}`);
    ids.push((await enable(client)).attr('id') ?? '');
    client.break();
  }
  const answers: string[] = [];
  for (const id of ids) answers.push((await resume(scene.server, TYBALT, id, 0)).answer.name);
  return answers;
}

export const resumptionLimits: LimitTable = {
  'unacknowledged-stanzas': silent({ maxStanzas: 2 }, ''),
  'unacknowledged-bytes': silent({ maxBytes: 5000 }, 'x'.repeat(2000)),
  'detached-sessions': {
    config: { limits: { unacknowledged: { detachedPerAccount: 2 } } },
    exceed: lose,
    sees: ['failed', 'resumed', 'resumed'],
  },
};
