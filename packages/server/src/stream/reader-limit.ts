import type { LimitName } from '@parley/metrics/catalogue';
import type { XmlLimits } from '@parley/xmpp/xml-limits';

/** What metrics and the log call a limit of the reader. */
export function limitName(limit: keyof XmlLimits, authenticated: boolean): LimitName {
  if (limit === 'maxNameLength') return 'name-bytes';
  const names = {
    maxBytes: ['element-bytes-before-authentication', 'stanza-bytes'],
    maxElements: ['elements-before-authentication', 'elements'],
    maxDepth: ['depth-before-authentication', 'depth'],
    maxAttributes: ['attributes-before-authentication', 'attributes'],
  } as const;
  return names[limit][authenticated ? 1 : 0];
}
