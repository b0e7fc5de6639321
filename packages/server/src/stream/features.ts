import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { Iq } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { InlineFeature, InlineLogin } from './inline-feature.ts';
import type { LoginTasks } from './login-task.ts';
import { MadeBefore } from './made-before.ts';
import type { Stream } from './stream.ts';

/** One thing that a stream can negotiate (RFC 6120 §4.3). */
export interface StreamFeature {
  /** The namespace of the elements and of the iq payloads that it handles. */
  readonly ns: string;
  /**
   * What stands in `<stream:features/>` now, if anything, behind what those before have put there. Each stream is best given the
   * same element, which nobody changes.
   */
  advertise?(stream: Stream, before?: readonly Element[]): Element | undefined;
  /** A first-level element of its namespace, at any time. Throws a StreamError where the element may not come now. */
  handle?(stream: Stream, element: Element): Awaitable<void>;
  /** A request of its namespace before a resource is bound; it sends the answer itself. */
  handleIq?(stream: Stream, iq: Iq): Awaitable<void>;
  /** What it does as part of a login (XEP-0388). */
  readonly inSasl2?: InlineFeature;
  /** What it asks of somebody who logs in, before that is a success (XEP-0388 §2.6.3). */
  readonly tasks?: LoginTasks;
  /**
   * What it does with a session that is bound as part of a login (XEP-0386 §2.2), where `<bind/>` has elements of its
   * namespace. Gives what `<bound/>` has to tell; what it throws ends the stream.
   */
  inBind2?(login: InlineLogin, request: Element): Awaitable<readonly Element[]>;
}

/** The features that streams offer, in the order in which they are advertised. */
export class StreamFeatures {
  readonly #features: StreamFeature[] = [];
  /** Those among them that do something as part of a login. */
  readonly inSasl2: InlineFeature[] = [];
  readonly tasks: LoginTasks[] = [];
  readonly inBind2: StreamFeature[] = [];
  readonly #byNs = new Map<string, StreamFeature>();
  readonly #texts = new MadeBefore<string>();

  add(feature: StreamFeature): void {
    this.#features.push(feature);
    if (feature.inSasl2 !== undefined) this.inSasl2.push(feature.inSasl2);
    if (feature.tasks !== undefined) this.tasks.push(feature.tasks);
    if (feature.inBind2 !== undefined) this.inBind2.push(feature);
    this.#byNs.set(feature.ns, feature);
  }

  for(ns: string): StreamFeature | undefined {
    return this.#byNs.get(ns);
  }

  /** Everything that a stream offers now. */
  advertise(stream: Stream): Element[] {
    const elements: Element[] = [];
    for (const feature of this.#features) {
      const element = feature.advertise?.(stream, elements);
      if (element !== undefined) elements.push(element);
    }
    return elements;
  }

  /** The same as it is told: written out once for all streams that are offered the very same elements. */
  text(stream: Stream): string {
    const elements = this.advertise(stream);
    const write = () =>
      `<stream:features>${elements.map((element) => element.toString(NS.client)).join('')}</stream:features>`;
    return this.#texts.of(elements, write);
  }
}
