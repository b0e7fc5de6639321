import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { asksFor, upgradeElement } from './requested-tasks.ts';

test('a client asks for those tasks that it names, and for no others', () => {
  const request = Element.of(
    'authenticate',
    NS.sasl2,
    {},
    Element.of('initial-response', NS.sasl2, {}, 'AA=='),
    upgradeElement('UPGR-BLOOP2'),
    upgradeElement('UPGR-BLOOP-42'),
    Element.of('upgrade', NS.sasl2, {}, 'UPGR-OTHER'),
  );
  const asked = ['UPGR-BLOOP2', 'UPGR-BLOOP-42', 'UPGR-OTHER', 'UPGR-BLOOP', ''].filter((task) =>
    asksFor(request, task),
  );
  expect(asked).toEqual(['UPGR-BLOOP2', 'UPGR-BLOOP-42']);
});
