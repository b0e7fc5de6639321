import { arch, platform, release } from 'node:os';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import * as z from 'zod';
import { flag } from '../config/option.ts';
import { defineModule } from '../module.ts';
import { version } from '../version.ts';

const options = z.object({
  showVersion: flag(true, { live: true, description: 'Tell the version of the server; without, it stays empty.' }),
  showSystem: flag(false, { live: true, description: 'Tell the operating system of the server.' }),
});

/** XEP-0092: what software this is. */
export default defineModule({
  name: 'version',
  description: 'Tells what software this is (XEP-0092).',
  xeps: [{ number: 92, version: '1.1' }],
  features: [NS.version],
  options,
  setup(context) {
    const { iq } = context;
    iq.get(NS.version, 'query', () => softwareVersion(context.options() as unknown as z.infer<typeof options>), {
      at: ['domain'],
      allow: 'anyone',
    });
  },
});

function softwareVersion({ showVersion, showSystem }: z.infer<typeof options>): Element {
  const children = [
    Element.of('name', NS.version, {}, 'Parley'),
    Element.of('version', NS.version, {}, ...(showVersion ? [version] : [])), // §2: never left out
  ];
  if (showSystem) children.push(Element.of('os', NS.version, {}, `${platform()} ${release()} ${arch()}`));
  return Element.of('query', NS.version, {}, ...children);
}
