import { DataForm, formSubject } from '@parley/xmpp/data-form';
import type { Element } from '@parley/xmpp/element';
import { defineModule } from '../module.ts';

const SERVER_INFO = 'http://jabber.org/network/serverinfo';

/** XEP-0157: whom to turn to, from the section `contact` of the configuration. */
export default defineModule({
  name: 'contact-addresses',
  description: 'Tells whom to turn to (XEP-0157): the addresses of the section `contact`.',
  xeps: [{ number: 157, version: '1.1.1' }],
  setup({ config, disclosure }) {
    disclosure.forms.push(() => contactForm(config().contact));
  },
});

/** The form that names the addresses of each role; undefined where there are none. */
export function contactForm(contact: Readonly<Record<string, readonly string[]>>): Element | undefined {
  const roles = Object.entries(contact).filter(([, addresses]) => addresses.length > 0);
  if (roles.length === 0) return undefined;
  const fields = roles.map(([role, values]) => ({ name: `${role}-addresses`, values }));
  return new DataForm('result', { fields: [formSubject(SERVER_INFO), ...fields] }).toElement();
}
