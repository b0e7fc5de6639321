import { NodeClient } from '@parley/cli/node-client';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { roster, setRoster } from '../support/contacts.ts';
import { logIn } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { collect } from './ledger.ts';

/** What was acknowledged of some things by name, and what may or may not have been done when the node died. */
class Acknowledged {
  readonly #values = new Map<string, string>();
  #begun: { name: string; values: readonly (string | undefined)[] } | undefined;

  /**
   * Does something and takes down that it was acknowledged; `value` is undefined where it removes the thing. `onTheWay`
   * is what it may be while it is not done.
   */
  async change(
    name: string,
    value: string | undefined,
    act: () => Promise<unknown>,
    ...onTheWay: readonly string[]
  ): Promise<void> {
    this.#begun = { name, values: [value, ...onTheWay] };
    await act();
    this.#take(name, value);
    this.#begun = undefined;
  }

  #take(name: string, value: string | undefined): void {
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Compares what there is now, which is the truth from then on. */
  check(actual: ReadonlyMap<string, string>): void {
    const begun = this.#begun;
    // how far it came nobody was told
    const now = begun && actual.get(begun.name);
    if (begun?.values.includes(now)) this.#take(begun.name, now);
    this.#begun = undefined;
    expect(new Map([...actual].sort())).toEqual(new Map([...this.#values].sort()));
  }
}

const result = async (answer: Promise<Element>): Promise<void> => {
  const element = await answer;
  if (element.attr('type') !== 'result') throw new Error(`Refused: ${element}`);
};

/** Kills a node again and again while it is written to; nothing that it acknowledged may be lost or be there twice. */
export class Killing {
  readonly #installation = new Installation({ limits: { bytes: { perSecond: 0 }, stanzas: { perSecond: 0 } } });
  readonly #contacts = new Acknowledged();
  readonly #kept = new Acknowledged();
  readonly #accounts = new Acknowledged();
  #messages: string[] = [];
  #message: string | undefined;
  #count = 0;
  #acknowledgements = 0;

  async begin(): Promise<void> {
    const own = ['romeo', 'juliet', 'benvolio', 'mercutio'].map((name) => `${name}@localhost`);
    await this.#installation.accounts(...own);
    for (const jid of own) await this.#accounts.change(jid, 'enabled', async () => {});
  }

  /** One life of the node: all is looked at, and it is written to until it has acknowledged so much; then it dies. */
  async round(acknowledgements: number): Promise<void> {
    const node = await this.#installation.start();
    const port = node.port('c2s');
    const romeo = await logIn(port, 'romeo@localhost/orchard');
    const benvolio = await logIn(port, 'benvolio@localhost/square');
    const mercutio = await logIn(port, 'mercutio@localhost/square');
    const socket = (this.#installation.config as { admin: { socket: string } }).admin.socket;
    const administration = (await NodeClient.require(socket)).accounts;
    await this.#check(node, romeo, benvolio, administration);

    this.#acknowledgements = 0;
    const enough = () => this.#acknowledgements >= acknowledgements;
    const dead = node.exited;
    const works = [
      () => this.#changeContact(romeo),
      () => this.#keep(benvolio),
      () => this.#write(mercutio),
      () => this.#administer(administration),
    ];
    const failures: unknown[] = [];
    const goOn = async (work: () => Promise<void>) => {
      while (!enough() && node.alive) {
        await work();
        this.#acknowledgements++;
        if (enough()) node.child.kill('SIGKILL');
      }
    };
    // what waits for an answer of the dead waits in vain
    await Promise.race([dead, Promise.all(works.map(goOn)).catch((error) => failures.push(error))]);
    await dead;
    expect(failures.filter(() => !enough())).toEqual([]);
  }

  async #changeContact(client: TestClient): Promise<void> {
    const count = ++this.#count;
    const jid = `c${count % 20}@localhost`;
    if (count % 7 === 0 && this.#contacts.has(jid)) {
      const item = `<item jid='${jid}' subscription='remove'/>`;
      await this.#contacts.change(jid, undefined, () => result(setRoster(client, item)));
    } else {
      const item = `<item jid='${jid}' name='${count}'/>`;
      await this.#contacts.change(jid, String(count), () => result(setRoster(client, item)));
    }
  }

  async #keep(client: TestClient): Promise<void> {
    const count = ++this.#count;
    const ns = `urn:example:${count % 5}`;
    const query = `<query xmlns='${NS.private}'><x xmlns='${ns}'>${count}</x></query>`;
    await this.#kept.change(ns, String(count), () => result(client.request('set', query)));
  }

  async #write(client: TestClient): Promise<void> {
    const id = `m${++this.#count}`;
    this.#message = id;
    client.send(`<message type='chat' to='juliet@localhost'><body>${id}</body></message>`);
    await result(client.request('get', `<ping xmlns='urn:xmpp:ping'/>`, 'localhost'));
    this.#messages.push(id);
    this.#message = undefined;
  }

  async #administer(accounts: NodeClient['accounts']): Promise<void> {
    const count = ++this.#count;
    const jid = `a${count % 10}@localhost`;
    if (!this.#accounts.has(jid)) await this.#accounts.change(jid, 'enabled', () => accounts.add(jid, 'secret'));
    // it is disabled first, and can be removed again
    else if (count % 2) await this.#accounts.change(jid, undefined, () => accounts.remove(jid), 'disabled');
    else await this.#accounts.change(jid, 'disabled', () => accounts.disable(jid));
  }

  async #check(
    node: RunningParley,
    romeo: TestClient,
    benvolio: TestClient,
    accounts: NodeClient['accounts'],
  ): Promise<void> {
    const items = (await roster(romeo))?.elements ?? [];
    expect(new Set(items.map((item) => item.attr('jid'))).size).toBe(items.length);
    this.#contacts.check(new Map(items.map((item) => [item.attr('jid') ?? '', item.attr('name') ?? ''])));

    const kept = new Map<string, string>();
    for (let index = 0; index < 5; index++) {
      const ns = `urn:example:${index}`;
      const answer = await benvolio.request('get', `<query xmlns='${NS.private}'><x xmlns='${ns}'/></query>`);
      const text = answer.firstChild?.firstChild?.text ?? '';
      if (text !== '') kept.set(ns, text);
    }
    this.#kept.check(kept);

    const listed: [string, string][] = [];
    for await (const page of accounts.list()) {
      for (const { jid, enabled } of page) listed.push([jid, enabled ? 'enabled' : 'disabled']);
    }
    expect(new Set(listed.map(([jid]) => jid)).size).toBe(listed.length);
    this.#accounts.check(new Map(listed));

    const got = await this.#collect(node);
    if (this.#message !== undefined && got.at(-1) === this.#message) this.#messages.push(this.#message);
    expect(got).toEqual(this.#messages);
    expect(await this.#collect(node)).toEqual([]);
    this.#messages = [];
    this.#message = undefined;
  }

  async #collect(node: RunningParley): Promise<string[]> {
    const juliet = await logIn(node.port('c2s'), 'juliet@localhost/balcony');
    const got = await collect(juliet);
    await juliet.close();
    return got;
  }
}
