import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { TestClient } from './client.ts';
import { features, plain } from './login.ts';
import { encrypted, unencrypted } from './network.ts';
import { plain2, show, tokenIn, wantToken } from './sasl2.ts';

const SM = NS.streamManagement;

/** A client that is logged in again, and what it was told of its session: undefined where it still has to ask for it. */
export interface Return {
  readonly client: TestClient;
  readonly answer?: Element | undefined;
  /** When it asked for its session. */
  readonly asked: number;
}

/** How a client logs in. */
export interface LoginWay {
  /** With the password "secret"; nothing is bound yet. */
  logIn(port: number): Promise<TestClient>;
  /** To go on with this session, of whose stanzas it has handled so many. */
  comeBack(port: number, previd: string, handled: number): Promise<Return>;
}

/** As long as a server lets somebody wait who logs in, and more, in milliseconds. */
const PATIENCE = 30_000;
/** A client that comes back tries another connection when one gives no answer for so many milliseconds: it may be dead. */
const GIVES_UP = 5000;

const partsOf = (jid: string) => jid.split('/')[0]?.split('@') as [local: string, domain: string];
export const resumeElement = (previd: string, handled: number) =>
  `<resume xmlns='${SM}' previd='${previd}' h='${handled}'/>`;

/** By the password each time, over SASL of RFC 6120; without TLS where the server lets clients in so. */
export class PasswordLogin implements LoginWay {
  readonly #jid: string;
  readonly #tls: boolean;

  constructor(jid: string, tls: boolean) {
    this.#jid = jid;
    this.#tls = tls;
  }

  async logIn(port: number, patience?: number): Promise<TestClient> {
    const [local, domain] = partsOf(this.#jid);
    const client = await (this.#tls
      ? encrypted(port, domain, undefined, undefined, patience)
      : unencrypted(port, domain, patience));
    return orBroken(client, async () => {
      succeeded(this.#jid, await plain(client, local, 'secret'));
      await features(client);
    });
  }

  async comeBack(port: number, previd: string, handled: number): Promise<Return> {
    const client = await this.logIn(port, GIVES_UP);
    const asked = performance.now();
    client.send(resumeElement(previd, handled));
    return { client, asked };
  }
}

/** By a token (XEP-0484) from the second time on, with which it asks for its session in one go (XEP-0388). */
export class TokenLogin implements LoginWay {
  readonly #jid: string;
  readonly #agent: string;
  #token: string | undefined;
  /** How often it was let in by a token. */
  shown = 0;

  /** `id`: that of the client, a UUID. */
  constructor(jid: string, id: string) {
    this.#jid = jid;
    this.#agent = `<user-agent id='${id}'><software>A test</software></user-agent>`;
  }

  async logIn(port: number): Promise<TestClient> {
    const [local, domain] = partsOf(this.#jid);
    const client = await encrypted(port, domain);
    return orBroken(client, async () => {
      const success = await plain2(client, local, 'secret', this.#agent + wantToken());
      succeeded(this.#jid, success);
      this.#token = tokenIn(success);
      await features(client);
    });
  }

  async comeBack(port: number, previd: string, handled: number): Promise<Return> {
    const [username, domain] = partsOf(this.#jid);
    const token = this.#token ?? '';
    const client = await encrypted(port, domain, undefined, undefined, GIVES_UP);
    const asked = performance.now();
    let answer: Element | undefined;
    await orBroken(client, async () => {
      const content = resumeElement(previd, handled);
      const success = await show(client, token, { username, content, agent: this.#agent, patience: PATIENCE });
      succeeded(this.#jid, success);
      this.shown++;
      this.#token = tokenIn(success) ?? token;
      answer = success.elements.find(({ ns }) => ns === SM);
      if (answer?.name !== 'resumed') await features(client); // XEP-0388 §2.6.1
    });
    return { client, answer, asked };
  }
}

function succeeded(jid: string, end: Element): void {
  if (end.name !== 'success') throw new Error(`${jid} does not get in: ${end}`);
}

/** A connection on which something went wrong is of no use. */
async function orBroken(client: TestClient, work: () => Promise<void>): Promise<TestClient> {
  try {
    await work();
  } catch (error) {
    client.break();
    throw error;
  }
  return client;
}
