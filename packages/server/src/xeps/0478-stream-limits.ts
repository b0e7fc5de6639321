import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';
import { MadeBefore } from '../stream/made-before.ts';

/** XEP-0478: what the server accepts on a stream, told before somebody runs into it. */
export default defineModule({
  name: 'stream-limits',
  description: 'Tells clients in the stream features how large a stanza may be and when a stream is idle (XEP-0478).',
  xeps: [{ number: 478, version: '0.2.0' }],
  setup({ config, features }) {
    features.add({
      ns: NS.streamLimits,
      advertise(stream) {
        const { stream: limits, modules } = config();
        if (stream.identity === undefined) return limitsElement(limits.beforeAuthentication.maxElementBytes);
        const { ping } = modules;
        const idle = ping?.enabled ? (ping.idleSeconds as number) : undefined;
        return limitsElement(limits.afterAuthentication.maxStanzaBytes, idle);
      },
    });
  },
});

const made = new MadeBefore<Element>();

function limitsElement(maxBytes: number, idleSeconds?: number): Element {
  return made.of([maxBytes, idleSeconds], () => {
    const limits = [Element.of('max-bytes', NS.streamLimits, {}, String(maxBytes))];
    if (idleSeconds !== undefined) limits.push(Element.of('idle-seconds', NS.streamLimits, {}, String(idleSeconds)));
    return Element.of('limits', NS.streamLimits, {}, ...limits);
  });
}
