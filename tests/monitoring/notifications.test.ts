// What managers are told of things that go wrong around a node, as Debian's snmptrapd hears it.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { directoryEntry } from '@parley/server/auth/ldap/testing';
import { objectOid } from '@parley/snmp-agent/mib/cells';
import { DOCUMENTATION_ARC, type NotificationName, xmppServerMib } from '@parley/snmp-agent/mib/xmpp-server-mib';
import { type Oid, textIndex } from '@parley/snmp-agent/protocol/oid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER } from '../services/net-snmp.ts';
import { Slapd } from '../services/slapd.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { conditionOf, features, plain } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { Installation } from '../support/process.ts';

const WORD = 'a-word-of-the-tests-alone';

/** A certificate that ends in so many days, and its key. */
function certificate(folder: string, domain: string, days: number): { certificate: string; key: string } {
  const [crt, key] = ['crt', 'key'].map((kind) => join(folder, `${domain}.${kind}`)) as [string, string];
  const about = ['-subj', `/CN=${domain}`, '-addext', `subjectAltName=DNS:${domain}`, '-days', String(days)];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', ...keys, '-out', crt, ...about], { stdio: 'pipe' });
  return { certificate: crt, key };
}

/** Another server that takes connections and says nothing, so that what is for it waits. */
async function muteServer(): Promise<number> {
  const mute = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void mute.close());
  await once(mute, 'listening');
  return (mute.address() as { port: number }).port;
}

it('tells of certificates, queues, failed logins and directories', async () => {
  const slapd = await Slapd.start();
  const port = await freeUdpPort();
  await using receiver = await TrapReceiver.start(port, WORD);
  const target = { host: '127.0.0.1', port };
  const { folder } = new Installation();
  const installation = new Installation({
    domains: [
      { name: 'localhost', ...certificate(folder, 'localhost', 100) },
      { name: 'verona.localhost', ...certificate(folder, 'verona.localhost', 5) },
    ],
    authentication: { accounts: ['corp'] },
    directories: [directoryEntry(slapd)],
    federation: { enabled: true, peers: [{ domain: 'mute.example', connectTo: `127.0.0.1:${await muteServer()}` }] },
    limits: { logins: { delaySeconds: 0 } },
    drain: { seconds: 1 },
    snmp: {
      port: 0,
      users: [MANAGER],
      certificateDays: 14,
      waitingStanzas: 2,
      loginFailuresPerMinute: 2,
      targets: [
        { ...target, user: MANAGER.name, inform: true },
        { ...target, community: WORD },
      ],
    },
  });
  const node = await installation.start();
  const agent = await installation.snmpAgent();
  const row = { verona: textIndex('verona.localhost', true), corp: textIndex('corp', true), node: [2] };

  /** Resolves when a trap and an inform have told it, and with it that this object of this row has such a value. */
  const told = async (name: NotificationName, object: string, index: Oid, value: string) => {
    const number = xmppServerMib.notifications.findIndex((each) => each.name === name) + 1;
    const instance = [...objectOid(xmppServerMib, DOCUMENTATION_ARC, object), ...index].join('\\.');
    for (const kind of ['TRAP2, SNMP v2c', 'INFORM, SNMP v3']) {
      await receiver.line(new RegExp(`^${kind}.*\\.32473\\.1\\.0\\.${number}\\b.*\\.${instance} = \\w+: ${value}\\b`));
    }
  };
  const logIn = async (username: string, password: string) => {
    const client = await encrypted(node.port('c2s'));
    return { client, outcome: conditionOf(await plain(client, username, password)) };
  };

  await told('xmppCertificateExpiring', 'xmppDomainCertificateDays', row.verona, '[45]');

  const { client: romeo } = await logIn('romeo', 'pw-romeo');
  await features(romeo);
  await romeo.request('set', `<bind xmlns='${NS.bind}'/>`);
  for (let count = 0; count < 3; count++) romeo.send("<message to='a@mute.example'><body>x</body></message>");
  await told('xmppQueueHigh', 'xmppNodePeerStanzasWaiting', row.node, '3');

  for (const password of ['one', 'two', 'three']) {
    expect((await logIn('tybalt', password)).outcome).toBe('not-authorized');
  }
  await told('xmppLoginFailureBurst', 'xmppNodeName', row.node, '.*');

  await slapd.kill();
  await told('xmppDirectoryLost', 'xmppDirectoryServersAway', row.corp, '1');
  await slapd.restart();
  await told('xmppDirectoryBack', 'xmppDirectoryServersAway', row.corp, '0');

  // each of them once, and of the other domain nothing
  const names = agent.log.filter(({ event }) => event === 'snmp.notification').map((line) => line.notification);
  expect(names).toEqual([
    'xmppCertificateExpiring',
    'xmppQueueHigh',
    'xmppLoginFailureBurst',
    'xmppDirectoryLost',
    'xmppDirectoryBack',
  ]);
});
