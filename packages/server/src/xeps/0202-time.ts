import { formatDateTime } from '@parley/xmpp/date-time';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';

/** XEP-0202: the server's clock. Where it stands is nobody's business, so its zone is UTC (§6). */
export default defineModule({
  name: 'time',
  description: 'Tells the time of the server, in UTC (XEP-0202).',
  xeps: [{ number: 202, version: '2.0' }],
  features: [NS.time],
  setup({ iq }) {
    iq.get(NS.time, 'time', () => entityTime(Date.now()), { at: ['domain'], allow: 'anyone' });
  },
});

export function entityTime(now: number): Element {
  const tzo = Element.of('tzo', NS.time, {}, '+00:00');
  return Element.of('time', NS.time, {}, tzo, Element.of('utc', NS.time, {}, formatDateTime(now)));
}
