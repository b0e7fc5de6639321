import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { Handled } from './handled.ts';

/** Whoever asks gets an answer after this time at the latest, though something is not done with. */
const LATEST_MS = 5000;
/** Questions of one stream that wait for an answer. */
const MOST_QUESTIONS = 10;

/** Answers a server that asks what was taken of what it has sent on one stream (XEP-0198). */
export class Receipts {
  readonly #send: (answer: Element) => void;
  #questions = 0;

  constructor(send: (answer: Element) => void) {
    this.#send = send;
  }

  onRequest(handled: Handled): void {
    if (this.#questions >= MOST_QUESTIONS) return; // the answers to the others will do
    this.#questions++;
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      clearTimeout(timer);
      this.#questions--;
      this.#send(Element.of('a', NS.streamManagement, { h: handled.told() }));
    };
    const late = () => {
      timer = setTimeout(tell, LATEST_MS).unref(); // the keyspace may take no part of it, either
      handled.secured(tell);
    };
    let timer = setTimeout(late, LATEST_MS).unref();
    handled.whenCaughtUp(() => handled.secured(tell));
  }
}
