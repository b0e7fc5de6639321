import { decodeBase64 } from '@parley/xmpp/base64';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../../pipeline.ts';
import type { StreamFeature, StreamFeatures } from '../../stream/features.ts';
import type { InlineLogin } from '../../stream/inline-feature.ts';
import type { LoginTask, ProvenLogin } from '../../stream/login-task.ts';
import type { LoginAttempt } from '../../stream/logins.ts';
import { MadeBefore } from '../../stream/made-before.ts';
import type { SaslAbilities, SaslAttempts, SaslMessage, SaslProfile, SaslProof } from '../../stream/sasl-attempts.ts';
import type { Stream } from '../../stream/stream.ts';
import { type UserAgent, userAgentOf } from '../../stream/user-agent.ts';

/** What a client has begun. */
interface Login {
  readonly request: Element;
  readonly userAgent: UserAgent | undefined;
  /** Once the mechanism has succeeded. */
  proven?: ProvenLogin;
  /** What the mechanism says with the success, until it is said. */
  data?: Buffer | undefined;
  task?: LoginTask | undefined;
  /** The client has chosen the task. */
  begun: boolean;
}

/** The profile of SASL that XEP-0388 defines, on clients' streams. */
export class Sasl2Profile implements StreamFeature, SaslProfile {
  readonly ns = NS.sasl2;
  readonly #attempts: SaslAttempts;
  readonly #features: StreamFeatures;
  readonly #logins = new WeakMap<Stream, Login>();
  readonly #made = new MadeBefore<Element>();

  constructor(attempts: SaslAttempts, features: StreamFeatures) {
    this.#attempts = attempts;
    this.#features = features;
  }

  /** §2.1 */
  advertise(stream: Stream): Element | undefined {
    if (stream.identity !== undefined || !stream.encrypted) return undefined; // §3
    const { mechanisms } = this.#attempts.offer(stream);
    if (mechanisms.length === 0) return undefined;
    const inline = this.#features.inSasl2.flatMap((feature) => feature.advertise(stream) ?? []);
    const tasks = this.#features.tasks.flatMap((feature) => feature.advertise(stream));
    return this.#made.of([...mechanisms, ...inline, ...tasks], () =>
      Element.of(
        'authentication',
        NS.sasl2,
        {},
        ...mechanisms.map((name) => Element.of('mechanism', NS.sasl2, {}, name)),
        ...(inline.length === 0 ? [] : [Element.of('inline', NS.sasl2, {}, ...inline)]),
        ...tasks,
      ),
    );
  }

  async handle(stream: Stream, element: Element): Promise<void> {
    this.#attempts.enter(this, stream);
    switch (element.name) {
      case 'authenticate':
        return this.#authenticate(stream, element);
      case 'response':
        return this.#attempts.respond(this, stream, messageIn(element));
      case 'next':
      case 'task-data':
        return this.#doTask(stream, element);
      case 'abort': // §5.5
        return this.#attempts.fail(this, stream, new SaslError('aborted', this.#logins.get(stream)?.task?.text));
    }
    throw new StreamError('unsupported-stanza-type');
  }

  /** §2.3 */
  #authenticate(stream: Stream, request: Element): Awaitable<void> {
    // §5.8
    if (this.#logins.get(stream)?.proven !== undefined) {
      throw new StreamError('policy-violation', 'This stream has authenticated.');
    }
    if (!stream.encrypted) return this.#attempts.fail(this, stream, new SaslError('encryption-required')); // §3
    const userAgent = userAgentOf(request);
    for (const feature of this.#features.inSasl2) {
      const objection = feature.objection?.(stream, request);
      if (objection !== undefined)
        return stream.sendElement(new SaslError('aborted').toElement(NS.sasl2).append(objection));
    }
    stream.access.userAgent = userAgent;
    this.#logins.set(stream, { request, userAgent, begun: false });
    stream.only = NS.sasl2; // §2.4
    const name = request.attr('mechanism') ?? '';
    const returns = (account: Jid) =>
      this.#features.inSasl2.some((feature) => feature.returns?.(account, request) === true);
    let tokens: SaslAbilities['tokens'];
    for (const feature of this.#features.inSasl2) tokens ??= feature.tokens?.(stream, request, userAgent);
    const renews = this.#features.tasks.some((task) => task.renews?.(stream, request) === true);
    const abilities: SaslAbilities = { returns, renews, tokens };
    return this.#attempts.begin(this, stream, name, messageIn(request.child('initial-response')), abilities);
  }

  /** §2.6.3 */
  async #doTask(stream: Stream, element: Element): Promise<void> {
    const login = this.#logins.get(stream);
    const { proven, task } = login ?? {};
    try {
      if (login === undefined || proven === undefined || task === undefined || !belongs(element, task, login.begun)) {
        throw new SaslError('malformed-request', 'This task is not to be done now.');
      }
      login.begun = true;
      const answer = await task.step(element);
      if (stream.closed) return;
      if (answer !== undefined) return stream.sendElement(Element.of('task-data', NS.sasl2, {}, ...answer));
      await this.#attempts.permit(proven.attempt, proven.identity);
      if (!stream.closed) await this.#goOn(login, proven);
    } catch (error) {
      await this.#attempts.fail(this, stream, error, proven?.attempt);
    }
  }

  /** The next task, or else the success. */
  async #goOn(login: Login, proven: ProvenLogin): Promise<void> {
    login.task = undefined;
    login.begun = false;
    for (const tasks of this.#features.tasks) {
      const task = await tasks.next(proven);
      if (proven.stream.closed) return;
      if (task === undefined) continue;
      login.task = task;
      return proven.stream.sendElement(continueWith(task, this.#takeData(login)));
    }
    await this.#succeed(login, proven);
  }

  /** §2.6.1 */
  async #succeed(login: Login, { stream, attempt, identity }: ProvenLogin): Promise<void> {
    this.#attempts.succeeded(attempt, identity);
    this.#logins.delete(stream);
    stream.hold();
    const inline: InlineLogin = { stream, request: login.request, userAgent: login.userAgent };
    const told: Element[] = [];
    try {
      for (const feature of this.#features.inSasl2) {
        told.push(...(await feature.handle(inline)));
        if (stream.closed) return;
      }
    } catch (error) {
      return stream.fail(error);
    }
    stream.only = undefined;
    const success = successOf(inline.session?.jid ?? identity, this.#takeData(login), told);
    stream.proceed(success, inline.session?.resumed !== true); // XEP-0198, "Inline Stream Resumption"
  }

  #takeData(login: Login): Element[] {
    const { data } = login;
    login.data = undefined;
    return data === undefined ? [] : [Element.of('additional-data', NS.sasl2, {}, data.toString('base64'))];
  }

  // --- SaslProfile ------------------------------------------------------------------------------------------------

  /** §2.5 */
  challenge(stream: Stream, data: Buffer): void {
    stream.sendElement(Element.of('challenge', NS.sasl2, {}, ...(data.length === 0 ? [] : [data.toString('base64')])));
  }

  async proved(attempt: LoginAttempt, { identity, data }: SaslProof): Promise<void> {
    const { stream } = attempt;
    const { claimed } = stream;
    // §2.3: the header of the stream tells the truth, where it names somebody; guests have no name yet
    if (claimed !== undefined && claimed.local !== '' && attempt.mechanism !== 'ANONYMOUS') {
      if (!claimed.equals(identity)) throw new SaslError('invalid-authzid', 'The stream is that of somebody else.');
    }
    const login = this.#logins.get(stream) as Login;
    await this.#attempts.permit(attempt, identity);
    if (stream.closed) return;
    login.data = data;
    login.proven = { stream, request: login.request, attempt, identity };
    await this.#goOn(login, login.proven);
  }

  /** §2.6.2 */
  fail(stream: Stream, reason: SaslError): void {
    this.#logins.delete(stream);
    stream.only = undefined;
    stream.sendElement(reason.toElement(NS.sasl2));
  }
}

/** The task is chosen once, and then gone on with. */
const belongs = (element: Element, { name }: LoginTask, begun: boolean): boolean =>
  element.name === 'next' ? !begun && element.attr('task') === name : begun;

/** §2.2: what is not to be said is left out, and what is empty says nothing. */
const messageIn = (element: Element | undefined): SaslMessage => ({
  text: element?.text ?? '',
  read() {
    if (element === undefined) return undefined;
    if (element.elements.length > 0) throw new SaslError('malformed-request');
    const data = element.text === '' ? Buffer.alloc(0) : decodeBase64(element.text);
    if (data === undefined) throw new SaslError('incorrect-encoding');
    return data;
  },
});

function continueWith({ name, text }: LoginTask, data: readonly Element[]): Element {
  const tasks = Element.of('tasks', NS.sasl2, {}, Element.of('task', NS.sasl2, {}, name));
  const words = text === undefined ? [] : [Element.of('text', NS.sasl2, { 'xml:lang': 'en' }, text)];
  return Element.of('continue', NS.sasl2, {}, ...data, tasks, ...words);
}

const successOf = (who: Jid, data: readonly Element[], told: readonly Element[]): Element =>
  Element.of(
    'success',
    NS.sasl2,
    {},
    ...data,
    Element.of('authorization-identifier', NS.sasl2, {}, who.toString()),
    ...told,
  );
