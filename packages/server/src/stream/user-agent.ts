import type { Element } from '@parley/xmpp/element';

/** The software that logs in, as it tells of itself (XEP-0388 §2.3). Nobody but its owner may be told of it. */
export interface UserAgent {
  /** Tells one installation of a client from all others, in lower case; undefined where it does not say. */
  readonly id: string | undefined;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What is kept of its words. */
const LONGEST = 200;

/** What `<authenticate/>` tells of the client. */
export function userAgentOf(authenticate: Element): UserAgent | undefined {
  const element = authenticate.child('user-agent');
  if (element === undefined) return undefined;
  const id = element.attr('id')?.toLowerCase() ?? '';
  const words = (name: string) => element.childText(name)?.trim().slice(0, LONGEST) || undefined;
  return { id: UUID.test(id) ? id : undefined, software: words('software'), device: words('device') };
}
