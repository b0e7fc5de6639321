import { INTERNAL } from '@parley/server/config/directory';
import type { Configuration } from '@parley/server/config/schema';
import type { Server } from '@parley/server/main';
import { call } from './call.ts';
import { USUAL } from './configuration.ts';

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
  const parley = call(process.cwd(), file !== undefined && USUAL.includes(file) ? undefined : file);
  return `
Parley is listening.

${listening.map(([number, purpose]) => `  port ${String(number).padEnd(6)} ${purpose}`).join('\n')}

${accounts(domain, config, parley)}

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

/** How somebody gets an account in this domain. */
function accounts(domain: string, config: Configuration, parley: string): string {
  const sources = config.domains.find(({ name }) => name === domain)?.accounts ?? config.authentication.accounts;
  const directories = sources.filter((source) => source !== INTERNAL).join(', ');
  const test = `People of the directory ${directories} have accounts. To see whether somebody may log in, in another terminal:
  ${parley} directory test you@${domain}`;
  const add = `Make accounts, in another terminal (it asks for the password):
  ${parley} account add you@${domain}`;
  return [...(directories === '' ? [] : [test]), ...(sources.includes(INTERNAL) ? [add] : [])].join('\n\n');
}
