import { readFileSync } from 'node:fs';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

// The tables of docs/stanza-routing.md: each cell is a stanza that is sent, and what comes of it.
const document = readFileSync(new URL('../../docs/stanza-routing.md', import.meta.url), 'utf8');

interface Row {
  readonly state: string;
  readonly to: string;
  readonly cells: Record<string, string>;
}

/** The first table behind a heading. */
function table(heading: string): Row[] {
  const lines = (document.split(`### ${heading}`)[1] ?? '').split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('|'))).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const [[, , ...columns] = [], , ...body] = rows.slice(
    0,
    rows.findIndex((cells) => cells.length === 0),
  );
  return body.map(([state = '', to = '', ...cells]) => ({
    state,
    to,
    cells: Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])),
  }));
}

/** What is connected to the account in each state: resource and presence. */
const STATES: Readonly<Record<string, [resource: string, presence: string][]>> = {
  none: [],
  'one without presence': [['cellar', '']],
  'one negative': [['phone', '<presence><priority>-1</priority></presence>']],
  'one not negative': [['chamber', '<presence/>']],
  'several of all kinds': [
    ['balcony', '<presence><priority>5</priority></presence>'],
    ['chamber', '<presence/>'],
    ['phone', '<presence><priority>-1</priority></presence>'],
    ['cellar', ''],
  ],
};

interface Stage {
  readonly server: TestServer;
  readonly romeo: TestClient;
  readonly clients: ReadonlyMap<string, TestClient>;
  readonly state: string;
}

/** A server on which Juliet's account is in this state, and Romeo, whom she does not know. */
async function stage(state: string): Promise<Stage> {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  const clients = new Map<string, TestClient>();
  if (state in STATES) {
    const owner = await server.client('juliet@localhost/before');
    await owner.request('set', `<vCard xmlns='${NS.vcard}'><FN>Juliet</FN></vCard>`);
    await owner.close();
  }
  for (const [resource, presence] of STATES[state] ?? []) {
    const client = await server.client(`juliet@localhost/${resource}`);
    client.send(presence);
    await client.sync();
    clients.set(resource, client);
  }
  return { server, romeo, clients, state };
}

/** The resources that a row's address stands for: '' is the account itself. */
function resourcesOf({ state, to }: Row): string[] {
  if (to === 'account') return [''];
  return to === 'gone' ? ['gone'] : (STATES[state] ?? []).map(([resource]) => resource);
}

/** What a word of the tables means for a stanza to this resource: who gets it, or else what becomes of it. */
function meaning(word: string, resource: string, { state }: Stage): string {
  const present = (STATES[state] ?? []).filter(([, presence]) => presence !== '');
  const able = word === 'to those' ? present.filter(([, presence]) => !presence.includes('-')) : present;
  if (word === 'to it') return `to ${resource}`;
  return word.startsWith('to ') ? `to ${able.map(([name]) => name).join(' ')}` : word;
}

/** Sends a stanza to a resource and tells what became of it. */
async function outcome(stanza: string, resource: string, { server, romeo, clients }: Stage): Promise<string> {
  const stored = () => server.count(({ offlineStored }) => offlineStored);
  const before = stored();
  const address = resource === '' ? 'juliet@localhost' : `juliet@localhost/${resource}`;
  romeo.send(stanza.replace(' ', ` id='it' to='${address}' `));
  const back = (await romeo.sync()).find((answer) => answer.attr('id') === 'it');
  const got: string[] = [];
  for (const [name, client] of clients) {
    romeo.send(`<message id='end' to='juliet@localhost/${name}' type='headline'/>`); // nothing overtakes another
    const fromRomeo = () => client.take((element) => element.attr('from')?.startsWith('romeo@localhost') === true);
    for (let next = await fromRomeo(); next.attr('id') !== 'end'; next = await fromRomeo()) got.push(name);
  }
  const error = back?.child('error')?.firstChild;
  const words: string[] = [];
  if (got.length > 0) words.push(`to ${got.join(' ')}`);
  if (stored() > before) words.push('stored');
  if (error !== undefined) words.push(error.is('service-unavailable', NS.stanzas) ? 'refused' : error.name);
  else if (back !== undefined) words.push('answered');
  return words.join(' and ') || 'dropped';
}

/** Compares what becomes of a stanza with the row's cell. */
async function compare(row: Row, column: string, stanza: string, resource: string, at: Stage): Promise<void> {
  const expected = meaning(row.cells[column] ?? '', resource, at);
  const seen = await outcome(stanza, resource, at);
  expect(`${stanza} /${resource}: ${seen}`).toBe(`${stanza} /${resource}: ${expected}`);
}

async function compareAll(row: Row, column: string, stanza: string, at: Stage): Promise<void> {
  for (const resource of resourcesOf(row)) await compare(row, column, stanza, resource, at);
}

describe.each([
  ['Messages', 5],
  ['Requests', 4],
  ['Presence', 6],
])('%s', (heading, columns) => {
  it('have a row for each state and form of address, and a cell for each kind', () => {
    const rows = table(heading);
    const expected = ['no such account', ...Object.keys(STATES)].flatMap((state) =>
      (STATES[state]?.length ?? 0) > 0
        ? [`${state} account`, `${state} there`, `${state} gone`]
        : [`${state} account`, `${state} gone`],
    );
    expect(rows.map(({ state, to }) => `${state} ${to}`)).toEqual(expected);
    for (const { cells } of rows) expect(Object.keys(cells)).toHaveLength(columns);
  });
});

describe('a message', () => {
  const body = '<body>hi</body>';
  it.each(table('Messages'))('$state, $to', async (row) => {
    const at = await stage(row.state);
    for (const type of Object.keys(row.cells)) {
      await compareAll(row, type, `<message type='${type}'>${body}</message>`, at);
    }
    for (const start of ['<message >', `<message type='unheard-of'>`]) {
      await compareAll(row, 'normal', `${start}${body}</message>`, at);
    }
  });
});

describe('a request or an answer', () => {
  const request = `<iq type='get'><vCard xmlns='${NS.vcard}'/></iq>`;
  it.each(table('Requests'))('$state, $to', async (row) => {
    const at = await stage(row.state);
    await compareAll(row, 'request of a stranger', request, at);
    for (const client of at.clients.values()) {
      client.send(`<presence to='${at.romeo.jid}'/>`);
      await client.sync();
    }
    await at.romeo.sync();
    await compareAll(row, 'request', request, at);
    for (const type of ['result', 'error']) await compareAll(row, type, `<iq type='${type}'/>`, at);
  });
});

describe('a presence', () => {
  it.each(table('Presence'))('$state, $to', async (row) => {
    const at = await stage(row.state);
    for (const column of Object.keys(row.cells)) {
      for (const type of column.split(', ')) {
        const stanza = type === 'available' ? '<presence />' : `<presence type='${type}'/>`;
        for (const resource of resourcesOf(row)) {
          // a request to subscribe is shown only once
          await compare(row, column, stanza, resource, type === 'subscribe' ? await stage(row.state) : at);
        }
      }
    }
  });
});
