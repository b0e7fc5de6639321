// Everything that can go wrong for one session, in any order: its streams are lost, the keyspace fails in all ways, the
// process dies and another takes over, writes arrive late. Whatever happens, both sides have everything once, in order.
import { partition } from '@parley/keyspace/key';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { type Presence, presence, type Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeStream, idOf, JULIET, ManagedSession, turns } from '../../../../tests/support/managed-session.ts';
import { type Fate, UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { sweep } from './resumption/journal-sweep.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

let keyspace: Keyspace;
beforeAll(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
});
afterAll(() => keyspace.close());

/** One whose server waits with the next stanza until this one is taken, and who sends again what never was. */
class Sender {
  readonly name: string;
  /** Can send again what was not taken: it is resumable, too. */
  readonly #careful: boolean;
  said = 0;
  /** The highest that was taken. */
  taken = 0;
  #sending: Promise<void> | undefined;

  constructor(name: string, careful: boolean) {
    this.name = name;
    this.#careful = careful;
  }

  say(to: ManagedSession): void {
    if (this.#sending === undefined) this.#send(to, ++this.said);
  }

  #send(to: ManagedSession, number: number): void {
    const sending = to.say(`${this.name}${number}`, this.#careful ? number : undefined).then(() => {
      if (this.#sending !== sending) return;
      this.taken = number;
      this.#sending = undefined;
    });
    this.#sending = sending;
  }

  /** Its own server died with the other one's process. */
  sayAgain(to: ManagedSession): void {
    const waits = this.#sending !== undefined;
    this.#sending = undefined;
    if (waits && this.#careful) this.#send(to, this.said);
  }
}

class Story {
  readonly #sid: string;
  #process: UnreliableKeyspace;
  #juliet: ManagedSession;
  readonly #dead: UnreliableKeyspace[] = [];
  readonly careful = new Sender('c', true);
  readonly careless = new Sender('x', false);
  #presences = 0;
  /** What the client has got, in order, and how many stanzas that were. */
  readonly got: string[] = [];
  #count = 0;
  #stream: FakeStream | undefined;
  /** What the client has sent, and how many of it the server has acknowledged. */
  #sent = 0;
  /** The server has not dealt with the last one yet, and reads no other. */
  #reading: Promise<void> | undefined;
  #acknowledged = 0;
  /** The numbers of the client's stanzas that were dealt with, as others could tell them. */
  readonly dealtWith: number[] = [];
  fates: Fate[] = [];

  private constructor(process: UnreliableKeyspace, juliet: ManagedSession) {
    this.#process = process;
    this.#juliet = juliet;
    this.#sid = juliet.session.sessionId;
    this.#listen(juliet.stream);
  }

  static async begin(): Promise<Story> {
    const process = new UnreliableKeyspace(keyspace);
    const story: { story?: Story } = {};
    const juliet = await new ManagedSession({
      store: storeOn(process),
      process: (stanza) => story.story?.process(stanza),
    }).open();
    story.story = new Story(process, juliet);
    story.story.#use(process);
    return story.story;
  }

  #use(process: UnreliableKeyspace): void {
    process.fate = () => this.fates.shift() ?? 'done';
  }

  async process({ origin }: Stanza): Promise<void> {
    await turns(1);
    if (origin !== undefined) this.dealtWith.push(origin.k);
  }

  #listen(stream: FakeStream): void {
    this.#stream = stream;
    stream.onSent = (text) => {
      if (this.#stream !== stream) return;
      const h = Number(/^<(?:a|resumed) .*?h='(\d+)'/.exec(text)?.[1]);
      if (h >= 0) this.#hear(h);
      else if (text.startsWith('<message') || text.startsWith('<presence')) {
        this.got.push(idOf(text));
        this.#count++;
      }
    };
  }

  #hear(h: number): void {
    expect(h).toBeGreaterThanOrEqual(this.#acknowledged);
    expect(h).toBeLessThanOrEqual(this.#sent);
    this.#acknowledged = h;
  }

  // --- what can happen --------------------------------------------------------------------------------------------

  say(): void {
    this.careful.say(this.#juliet);
  }

  sayCarelessly(): void {
    this.careless.say(this.#juliet);
  }

  appear(): void {
    const stanza: Presence = presence({ to: JULIET, id: `p${++this.#presences}` });
    this.#juliet.session.send(stanza);
  }

  acknowledge(): void {
    if (this.#stream?.closed === false) this.#juliet.management.acknowledge(this.#count);
  }

  write(): void {
    if (this.#stream?.closed !== false || this.#reading !== undefined) return;
    this.#sent++;
    const reading = this.#receive(this.#sent).then(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
  }

  async #receive(number: number): Promise<void> {
    const stanza = stanzaFromText(Buffer.from(`<message id='${number}'/>`));
    await this.#juliet.session.receive(stanza.toElement());
  }

  ask(): void {
    if (this.#stream?.closed === false) this.#juliet.management.answer();
  }

  lose(): void {
    this.#stream?.break();
  }

  /** The client comes back; sometimes it has lost patience before it is told. */
  async resume(patient: boolean): Promise<void> {
    const stream = new FakeStream();
    this.#listen(stream);
    const resuming = this.#juliet.resume(this.#count, stream);
    if (!patient) {
      await Promise.resolve();
      stream.break();
    }
    if (!(await resuming)) return;
    this.#reading = undefined;
    for (let next = this.#acknowledged + 1; next <= this.#sent; next++) await this.#receive(next);
  }

  /** The process dies, and another one begins. */
  async die(): Promise<void> {
    this.#process.die();
    this.#dead.push(this.#process);
    if (this.#stream) this.#stream.closed = true;
    this.#stream = undefined;
    this.#reading = undefined;
    this.#process = new UnreliableKeyspace(keyspace);
    const store = storeOn(this.#process);
    const kept = await store.claim(JULIET.bare, this.#sid);
    if (kept === undefined) throw new Error('The session is gone.');
    const { header, entries, record } = kept;
    const from = { epoch: record.epoch, header, entries };
    this.#juliet = new ManagedSession({ store, sid: this.#sid, from, process: (stanza) => this.process(stanza) });
    this.#use(this.#process);
    this.careful.sayAgain(this.#juliet);
    this.careless.sayAgain(this.#juliet);
  }

  async arrive(): Promise<void> {
    for (const process of [...this.#dead, this.#process]) await process.arrive();
  }

  /** All is well again. */
  async end(): Promise<void> {
    this.fates = [];
    await turns();
    await this.arrive();
    await this.resume(true);
    for (const sender of [this.careful, this.careless]) {
      await turns();
      sender.say(this.#juliet);
    }
    await turns();
    this.ask();
    this.acknowledge();
    await this.#juliet.management.settled();
    expect([this.#juliet.session.ended, this.#juliet.faults]).toEqual([false, []]);
    expect(this.#acknowledged).toBe(this.#sent);
    expect((await this.#juliet.journal())?.entries).toEqual([]);
    await accounted();
    const { epoch } = this.#juliet.management.backlog;
    expect(await storeOn(this.#process).end(JULIET.bare, JULIET.resource, this.#sid, epoch)).toEqual([]);
    await accounted();
  }
}

/** The journal's own counts tell of every entry what became of it, at any moment. */
const accounted = async () => {
  expect((await sweep(keyspace, partition(JULIET.bareText), false)).missing).toBe(0);
};

const storeOn = (process: UnreliableKeyspace) =>
  new ResumptionStore({ keyspace: process.keyspace, onDamaged: (error) => expect.fail(error.message) });

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('say' as const) },
    { weight: 3, arbitrary: fc.constant('sayCarelessly' as const) },
    { weight: 2, arbitrary: fc.constant('appear' as const) },
    { weight: 3, arbitrary: fc.constant('acknowledge' as const) },
    { weight: 4, arbitrary: fc.constant('write' as const) },
    { weight: 2, arbitrary: fc.constant('ask' as const) },
    { weight: 2, arbitrary: fc.constant('lose' as const) },
    { weight: 3, arbitrary: fc.constant('resume' as const) },
    { weight: 1, arbitrary: fc.constant('resumeInHaste' as const) },
    { weight: 1, arbitrary: fc.constant('die' as const) },
    { weight: 1, arbitrary: fc.constant('arrive' as const) },
    { weight: 5, arbitrary: fc.constant('turn' as const) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<('refused' | 'lost' | 'unanswered' | 'late')[]>(
        'refused',
        'lost',
        'unanswered',
        'late',
      ),
    },
  ),
  { minLength: 5, maxLength: 60 },
);

it('whatever happens, everything comes once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const story = await Story.begin();
      for (const step of list) {
        switch (step) {
          case 'turn':
            await turns(2);
            break;
          case 'resume':
          case 'resumeInHaste':
            await story.resume(step === 'resume');
            break;
          case 'refused':
          case 'lost':
          case 'unanswered':
          case 'late':
            story.fates.push(step);
            break;
          default:
            await story[step]();
        }
        await accounted();
      }
      await story.end();

      const from = ({ name }: Sender) => story.got.filter((id) => id.startsWith(name));
      const numbers = (ids: readonly string[]) => ids.map((id) => Number(id.slice(1)));
      // from the careful one everything, from the others nothing twice and nothing out of order
      expect(numbers(from(story.careful))).toEqual(Array.from({ length: story.careful.said }, (_, index) => index + 1));
      for (const ids of [from(story.careless), story.got.filter((id) => id.startsWith('p'))]) {
        expect(numbers(ids)).toEqual([...new Set(numbers(ids))].sort((a, b) => a - b));
      }
      // who knows the highest number that came knows what comes again
      const first = story.dealtWith.filter((k, index) => story.dealtWith.slice(0, index).every((other) => other < k));
      expect(first).toEqual(Array.from({ length: first.length }, (_, index) => index + 1));
    }),
    { numRuns: 2000 },
  );
});
