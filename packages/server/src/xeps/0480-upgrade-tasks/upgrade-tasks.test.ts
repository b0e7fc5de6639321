import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { offerOf } from '../../../../../tests/support/sasl2.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import sasl2 from '../0388-sasl2/sasl2.ts';
import upgradeTasks from './upgrade-tasks.ts';

test.each([
  ['with', [sasl2, upgradeTasks], 2],
  ['without', [sasl2], 0],
])('upgrades are offered %s the module', async (_, modules, count) => {
  const server = await startServer({ modules });
  const client = server.connect();
  client.open('localhost');
  expect((await offerOf(client)).elements.filter(({ ns }) => ns === NS.saslUpgrade)).toHaveLength(count);
});
