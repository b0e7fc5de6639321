import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from '../support/client.ts';
import { enable, resume } from '../support/resumption.ts';
import { fromHostile, type Limit, type LimitTable, type Scene, streamError } from './limit.ts';

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

/** One turn and one place in the queue; whoever finds none keeps the session. */
async function crowd(scene: Scene): Promise<(string | undefined)[]> {
  const client = await scene.user(TYBALT);
  const id = (await enable(client)).attr('id') ?? '';
  const streams: TestClient[] = [];
  while (streams.length < 3) streams.push(await scene.server.authenticated(TYBALT, fromHostile));
  const [first, second, third] = streams as [TestClient, TestClient, TestClient];
  for (const stream of streams) stream.send(`<resume xmlns='${NS.streamManagement}' previd='${id}' h='0'/>`);
  const answer = async (stream: TestClient) => (await stream.take(({ ns }) => ns === NS.streamManagement)).name;
  return [await answer(first), await streamError(third), await answer(second)];
}

export const resumptionLimits: LimitTable = {
  'resumptions-rate': {
    config: { limits: { resumptions: { perSecond: 1, maxWaitSeconds: 1 } } },
    exceed: crowd,
    sees: ['resumed', 'resource-constraint', 'resumed'],
  },
  'unacknowledged-stanzas': silent({ maxStanzas: 2 }, ''),
  'unacknowledged-bytes': silent({ maxBytes: 5000 }, 'x'.repeat(2000)),
  'detached-sessions': {
    config: { limits: { unacknowledged: { detachedPerAccount: 2 } } },
    exceed: lose,
    sees: ['failed', 'resumed', 'resumed'],
  },
};
