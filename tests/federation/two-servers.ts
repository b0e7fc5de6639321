import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, clientCertificate, plainName } from '@parley/server/stream/testing';
import type { Tracing } from '@parley/server/tracing/tracing';
import { onTestFinished } from 'vitest';
import { SECRET } from '../support/component.ts';
import { startServer, type TestServer } from '../support/server.ts';

export const DOMAINS = ['montague.example', 'capulet.example'] as const;

/** A domain, and those below it. */
const names = (domain: string) => [plainName(2, domain), plainName(2, `*.${domain}`)];

/**
 * Two servers that know where to find each other; `more` is more of the first one's policy for the second, `tracings` what
 * each of them traces.
 */
export async function twoServers(
  authentication: 'certificate' | 'certificate-or-dialback',
  more: object = {},
  tracings: readonly Tracing[] = [],
): Promise<[TestServer, TestServer]> {
  const authority = authentication === 'certificate' ? await CertificateAuthority.make() : undefined;
  const authorities = authority?.cert;
  const certificates = (domain: string) =>
    authority === undefined ? clientCertificate(...names(domain)) : authority.issue(...names(domain));
  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const servers: TestServer[] = [];
  for (const domain of DOMAINS) {
    const { cert, key } = await certificates(domain);
    const server = await startServer({
      nodes: 1,
      ...(tracings[servers.length] && { tracing: tracings[servers.length] }),
      config: {
        domains: [domain],
        // the machine may have much else to do
        limits: { process: { eventLoopDelayMilliseconds: 60_000 } },
        components: [{ domain: `irc.${domain}`, secret: SECRET }],
        listen: { c2s: [], c2sTls: [], components: [], http: [], s2s: [{ host: '127.0.0.1', port: 0 }], s2sTls: [] },
        tls: { certificate: file(`${domain}.crt`, cert), key: file(`${domain}.key`, key) },
        federation: {
          enabled: true,
          default: authentication,
          ...(authorities && { authorities: file('authorities.crt', authorities) }),
        },
      },
    });
    servers.push(server);
  }
  for (const [index, server] of servers.entries()) {
    const other = servers[1 - index] as TestServer;
    const port = other.node.ports.find(({ name }) => name === 's2s')?.port;
    const next = structuredClone(server.node.config);
    const domain = DOMAINS[1 - index] as string;
    next.federation.peers = [domain, `*.${domain}`].map((each) => ({
      domain: each,
      connectTo: `127.0.0.1:${port}`,
      allow: true,
      connectToTls: false,
      stripPresence: false,
      ...(index === 0 && more),
    }));
    await server.node.reload(next);
  }
  return servers as [TestServer, TestServer];
}
