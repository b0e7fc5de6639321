import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { arrived, roster, setRoster } from '../../../../tests/support/contacts.ts';
import { putGroup } from '../../../../tests/support/groups.ts';
import { startServer } from '../../../../tests/support/server.ts';
import type { ViewChange } from '../auth/groups/group.ts';
import type { Session } from '../session/session.ts';
import { SharedChanges } from './shared-changes.ts';

const JULIET = 'juliet@localhost';
const CREW = Array.from({ length: 40 }, (_, i) => `sailor${i}@localhost`);

/** A client with stream management whose server bears 30 stanzas that are not acknowledged. */
async function start() {
  const config = { limits: { unacknowledged: { maxStanzas: 30 } } };
  const server = await startServer({ nodes: 1, config: config as never });
  const juliet = await server.client(`${JULIET}/balcony`);
  return { server, juliet };
}

const isStanza = ({ name }: Element) => name === 'iq' || name === 'presence';

/** Takes everything, and acknowledges what has come, until nothing more comes; gives the portions. */
async function portions(client: TestClient, before: number): Promise<Element[][]> {
  const all: Element[][] = [];
  for (let count = before; ; ) {
    const portion: Element[] = [];
    for (let turns = 0; turns < 20; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      portion.push(...client.inbox.splice(0).filter(isStanza));
    }
    if (portion.length === 0) return all;
    all.push(portion);
    count += portion.length;
    client.send(`<a xmlns='${NS.streamManagement}' h='${count}'/>`);
  }
}

async function manage(client: TestClient): Promise<void> {
  client.send(`<enable xmlns='${NS.streamManagement}'/>`);
  await client.take(({ name }) => name === 'enabled');
}

describe('a client that acknowledges slowly', () => {
  it('gets the contacts of a group in portions, and the new version with the last of them', async () => {
    const { server, juliet } = await start();
    await putGroup(server, 'crew', { shownTo: ['watchers'], add: CREW });
    await roster(juliet);
    await manage(juliet);
    await putGroup(server, 'watchers', { shownTo: 'nobody', add: [JULIET] });
    const got = await portions(juliet, 0);
    expect(got.length).toBeGreaterThan(1);
    for (const portion of got) expect(portion.length).toBeLessThan(30);
    const pushes = got.flat().map((element) => element.firstChild as Element);
    expect(pushes.map((query) => query.firstChild?.attr('jid'))).toEqual(CREW);
    const versions = new Set(pushes.slice(0, -1).map((query) => query.attr('ver')));
    expect(versions.size).toBe(1);
    const last = pushes.at(-1)?.attr('ver') as string;
    expect(versions.has(last)).toBe(false);
    expect(await roster(juliet, last)).toBeUndefined();
  });

  it('gets the presence of a large group in portions when it comes', async () => {
    const { server, juliet } = await start();
    await putGroup(server, 'crew', { shownTo: ['watchers'], add: CREW });
    await putGroup(server, 'watchers', { shownTo: 'nobody', add: [JULIET] });
    for (const sailor of CREW) await server.online(`${sailor}/deck`);
    await manage(juliet);
    juliet.send('<presence/>');
    const got = await portions(juliet, 0);
    for (const portion of got) expect(portion.length).toBeLessThan(30);
    expect(new Set(got.flat().map((element) => element.attr('from'))).size).toBe(CREW.length + 1);
  });
});

it('an item of the user’s own says that a member of another group sees them now', async () => {
  const server = await startServer({ nodes: 1 });
  const nurse = await server.client('nurse@localhost/kitchen');
  await roster(nurse);
  await setRoster(nurse, `<item jid='${JULIET}'/>`);
  await arrived(nurse);
  await putGroup(server, 'household', { shownTo: 'everyone', add: ['nurse@localhost'] });
  expect(await arrived(nurse)).toEqual([`push ${JULIET} from`]);
  await putGroup(server, 'household', { shownTo: ['crew'] });
  expect(await arrived(nurse)).toEqual([`push ${JULIET} none`]);
  await putGroup(server, 'crew', { shownTo: 'nobody', add: [JULIET, 'tybalt@localhost'] });
  expect(await arrived(nurse)).toEqual([`push ${JULIET} from`]);
});

it('a session that comes from another node is told of what has changed just now', async () => {
  let now = 0;
  const account = Jid.parse(JULIET);
  const started: unknown[] = [];
  const changes = new SharedChanges({
    context: { sessions: { here: () => [] } },
    paced: { start: (session: Session) => started.push(session) },
    now: () => now,
  } as never);
  const view: ViewChange = { viewers: [account], contacts: [Jid.parse('a@x')], namesOnly: false, mutual: true };
  changes.take({ id: 'g', name: 'g', added: [], removed: [], concerned: [], views: [view] });
  const session = { account, interested: true, available: true } as Session;
  const other = { ...session, account: Jid.parse('other@x') } as Session;
  now = 9000;
  changes.restored(session);
  changes.restored(other);
  expect(started).toEqual([session]);
  changes.forget(session);
  now = 10_000;
  changes.restored(session);
  expect(started).toEqual([session]);
});
