/** What it answers with false, whoever asked learns; everybody else has been told all the same. */
type Handler = (text: string) => unknown;

/** What modules tell their counterparts on the other nodes: mostly that something changed that is kept in memory. */
export class Peers {
  readonly #handlers = new Map<string, Handler[]>();
  #send: ((subject: string, text: string) => Promise<void>) | undefined;
  #ask: ((node: string, subject: string, text: string) => Promise<boolean>) | undefined;

  /** From now on there may be other nodes. */
  connect(
    send: (subject: string, text: string) => Promise<void>,
    ask?: (node: string, subject: string, text: string) => Promise<boolean>,
  ): void {
    this.#send = send;
    this.#ask = ask;
  }

  /** Resolves when every other node has dealt with it, or is gone. It is told in the order of the calls. */
  tell(subject: string, text: string): Promise<void> | undefined {
    return this.#send?.(subject, text);
  }

  /** Tells one node. Resolves when it has dealt with it, with false where it said so, or is not there, or gone by now. */
  ask(node: string, subject: string, text: string): Promise<boolean> {
    return this.#ask?.(node, subject, text) ?? Promise.resolve(false);
  }

  on(subject: string, handler: Handler): void {
    const handlers = this.#handlers.get(subject);
    if (handlers === undefined) this.#handlers.set(subject, [handler]);
    else handlers.push(handler);
  }

  /** Another node tells. A subject that nobody here knows is one of a newer node. */
  async receive(subject: string, text: string): Promise<boolean> {
    let yes = true;
    for (const handler of this.#handlers.get(subject) ?? []) if ((await handler(text)) === false) yes = false;
    return yes;
  }
}
