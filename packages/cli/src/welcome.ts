import type { Configuration } from '@parley/server/config/schema';
import type { Server } from '@parley/server/main';

/** What a person at the terminal needs to know when the node listens. */
export function welcome({ node, listeners }: Server, config: Configuration, file: string | undefined): string {
  const [domain = 'localhost'] = node.domains;
  const own = config.domains.find(({ name }) => name === domain)?.certificate !== undefined;
  const port = (name: string) => listeners.find((listener) => listener.name === name)?.port;
  const listening = [
    [port('c2s'), 'clients, STARTTLS'],
    [port('c2sTls'), 'clients, direct TLS'],
    [port('http'), 'health checks and metrics, http'],
    [port('agentCheck'), 'agent checks of HAProxy'],
  ].filter(([number]) => number !== undefined);
  return `
Parley is listening.

${listening.map(([number, purpose]) => `  port ${String(number).padEnd(6)} ${purpose}`).join('\n')}

Make the first account, in another terminal (it asks for a password):
  npm run parley -- account add you@${domain}

Client settings:
  address    you@${domain}
  server     ${domain === 'localhost' ? 'localhost (your client may call it "connect to host")' : domain}
  port       ${port('c2s') ?? `${port('c2sTls')}, TLS from the start`}
  encryption required${own || node.selfSigned === undefined ? '' : `; the certificate is self-signed: accept it, or trust ${node.selfSigned}`}

Configuration: ${file ?? 'all defaults (write a parley.yaml to change them; docs/configuration.md tells what there is)'}
Data:          ${config.keyspace.url.replace(/:\/\/[^@/]*@/, '://')}
Stop with Ctrl-C.

`;
}
