import { serializeAttributes } from '@parley/xmpp/element';

/** A stanza that means nothing to anybody: an answer that nobody waits for (RFC 6120 §8.2.3). */
export const filler = (local: string, remote: string): string =>
  `<iq${serializeAttributes(['from', local, 'to', remote, 'type', 'result', 'id', 'nothing'])}/>`;
