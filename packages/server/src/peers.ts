type Handler = (text: string) => void | Promise<void>;

/** What modules tell their counterparts on the other nodes: mostly that something changed that is kept in memory. */
export class Peers {
  readonly #handlers = new Map<string, Handler[]>();
  #send: ((subject: string, text: string) => Promise<void>) | undefined;

  /** From now on there may be other nodes. */
  connect(send: (subject: string, text: string) => Promise<void>): void {
    this.#send = send;
  }

  /** Resolves when every other node has dealt with it, or is gone. It is told in the order of the calls. */
  tell(subject: string, text: string): Promise<void> | undefined {
    return this.#send?.(subject, text);
  }

  on(subject: string, handler: Handler): void {
    const handlers = this.#handlers.get(subject);
    if (handlers === undefined) this.#handlers.set(subject, [handler]);
    else handlers.push(handler);
  }

  /** Another node tells. A subject that nobody here knows is one of a newer node. */
  async receive(subject: string, text: string): Promise<void> {
    for (const handler of this.#handlers.get(subject) ?? []) await handler(text);
  }
}
