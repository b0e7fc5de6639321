import type { Element } from '@parley/xmpp/element';
import type { Awaitable } from '../pipeline.ts';

/** What takes over a stream's elements once a resource is bound: the session. */
export interface StreamConsumer {
  receive(element: Element): Awaitable<void>;
  /**
   * The stream is over, by whatever end. `lost`: nobody wanted it to be, so that the client may come back. Called once.
   */
  onStreamEnd(reason: string, lost: boolean): void;
}
