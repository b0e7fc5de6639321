import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Chat } from '../support/chat.ts';
import { appearOver } from '../support/network.ts';
import { Installation } from '../support/process.ts';

/** Longer than any time that the configuration below gives. */
const STANDSTILL_MS = 5000;

it('takes its own standstill for nobody else’s: all who are there stay', async () => {
  const installation = new Installation({
    stream: { authenticateTimeoutSeconds: 2, bindTimeoutSeconds: 2, closeTimeoutSeconds: 2 },
    limits: { output: { stalledSeconds: 2 }, iq: { timeoutSeconds: 2 } },
    modules: { ping: { idleSeconds: 10, timeoutSeconds: 10 } },
  });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const juliet = await appearOver(node.port('c2s'), 'juliet@localhost/balcony');
  node.child.kill('SIGSTOP');
  romeo.send(`<message type='chat' to='juliet@localhost'><body>are you there?</body></message>`);
  await pause(STANDSTILL_MS);
  node.child.kill('SIGCONT');
  expect((await juliet.nextMessage()).childText('body')).toBe('are you there?');
  const chat = new Chat(romeo, juliet);
  await chat.goesOn(100);
  await chat.end();
  expect(node.log.filter(({ event }) => event === 'session.unbound')).toEqual([]);
  expect(await node.stop()).toBe(0);
});
