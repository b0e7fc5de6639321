import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { MadeBefore } from '../../stream/made-before.ts';

/** A task that is announced, or asked for (§2.1, §2.2). */
export const upgradeElement = (task: string): Element =>
  made.of([task], () => Element.of('upgrade', NS.saslUpgrade, {}, task));

const made = new MadeBefore<Element>();

/** Whether a client has asked for this task in `<authenticate/>`. */
export const asksFor = (request: Element, task: string): boolean =>
  request.elements.some((child) => child.is('upgrade', NS.saslUpgrade) && child.text === task);
