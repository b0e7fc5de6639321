import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import presence from './presence.ts';
import roster from './roster.ts';

const JULIET = 'juliet@localhost/balcony';

/** A server that notes the events of presence, with what is known of the session by then. */
async function start() {
  const events: string[] = [];
  const listener = defineModule({
    name: 'listener',
    setup({ hooks: { events: all } }) {
      all.on('presence.available', ({ jid, available, priority }, first) => {
        events.push([jid.resource, 'available', available, priority, first].join(' '));
      });
      all.on('presence.unavailable', ({ jid, available, priority }) => {
        events.push([jid.resource, 'unavailable', available, priority].join(' '));
      });
    },
  });
  return { server: await startServer({ modules: [roster, presence, listener] }), events };
}

describe('the events of presence', () => {
  it('tell each change, after it was made', async () => {
    const { server, events } = await start();
    const juliet = await server.client(JULIET);
    juliet.send('<presence><priority>5</priority></presence>');
    juliet.send('<presence><priority>-1</priority></presence>');
    juliet.send(`<presence type='unavailable'/>`);
    juliet.send('<presence/>');
    await juliet.sync();
    juliet.break();
    expect(events).toEqual([
      'balcony available true 5 true',
      'balcony available true -1 false',
      'balcony unavailable false 0',
      'balcony available true 0 true',
      'balcony unavailable false 0',
    ]);
  });

  it('tell nothing of presence for one address, nor of what is refused', async () => {
    const { server, events } = await start();
    const juliet = await server.client(JULIET);
    juliet.send(`<presence to='romeo@localhost'/><presence type='unavailable'/>`);
    juliet.send('<presence><priority>many</priority></presence>');
    await juliet.close();
    expect(events).toEqual([]);
  });
});

it('neither answers nor spreads an error or a probe that is for nobody', async () => {
  const { server } = await start();
  const juliet = await server.online(JULIET);
  const chamber = await server.online('juliet@localhost/chamber');
  await juliet.sync();
  juliet.send(`<presence type='error'/><presence type='probe'/>`);
  expect(await juliet.sync()).toEqual([]);
  expect(await chamber.sync()).toEqual([]);
});
