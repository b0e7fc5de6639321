import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from '@parley/server/config/schema';
import { Jid } from '@parley/xmpp/jid';
import { Command } from 'commander';
import { Usage } from './exit.ts';
import type { TrialAccount } from './trial.ts';
import type { TrialServer } from './trial-client.ts';

interface TryOptions {
  readonly server?: string;
  readonly directTls?: boolean;
  readonly authorities?: string;
  readonly anyCertificate?: boolean;
  readonly accounts?: string;
  readonly domain?: string;
  readonly seconds: string;
}

/** `parley try`: whether two users can log in and chat. */
export function tryCommand(): Command {
  return new Command('try')
    .description('Have two users log in and write to each other, as clients do, and tell what works and what does not.')
    .option('--server <host:port>', 'where (default: the first port for clients in the configuration, on this machine)')
    .option('--direct-tls', 'TLS from the first byte there, not STARTTLS')
    .option('--authorities <file>', 'those who vouch for the certificate, PEM (default: those that the machine trusts)')
    .option('--any-certificate', 'whatever the certificate is')
    .option('--accounts <file>', 'two lines, an address and its password each (default: two are made, and removed)')
    .option('--domain <name>', 'where these two are made (default: the first domain)')
    .option('--seconds <number>', 'how long all of it may take', '30')
    .action(async function (this: Command) {
      const { readConfiguration } = await import('./configuration.ts'); // all modules: not for a mere --help
      const { accountsIn, tryToChat } = await import('./trial.ts');
      const options = this.opts<TryOptions>();
      const seconds = Number(options.seconds);
      if (!(seconds > 0 && seconds <= 3600)) throw new Usage('--seconds is a number from 1 to 3600.');
      const config = readConfiguration(this);
      const server = await serverOf(config, options);
      const chat = (accounts: [TrialAccount, TrialAccount]) =>
        tryToChat(accounts, server, AbortSignal.timeout(seconds * 1000), say);
      if (options.accounts !== undefined) await chat(accountsIn(textOf(options.accounts)));
      else await withNewAccounts(this, config, options.domain, chat);
      say('Two users can log in and chat.');
    });
}

const say = (text: string) => process.stdout.write(`${text}\n`);

async function serverOf(config: Configuration, options: TryOptions): Promise<TrialServer> {
  const { peerContext } = await import('@parley/server/net/peer-connection');
  const { machineAuthorities } = await import('@parley/server/net/machine-authorities');
  const { minVersion, ciphers } = config.tls;
  if (options.anyCertificate && options.authorities !== undefined) {
    throw new Usage('--authorities and --any-certificate do not go together.');
  }
  const authorities = options.authorities === undefined ? [...machineAuthorities()] : textOf(options.authorities);
  return {
    ...placeOf(config, options),
    context: peerContext({ own: undefined, authorities, minVersion, ciphers }),
    verified: !options.anyCertificate,
  };
}

function placeOf({ listen }: Configuration, { server, directTls = false }: TryOptions) {
  if (server !== undefined) {
    const [, host = '', port = ''] = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(server) ?? [];
    if (host === '') throw new Usage('--server is a host and a port, as localhost:5222.');
    return { host, port: Number(port), directTls };
  }
  // those that expect a load balancer cut everybody else
  const own = (directTls ? listen.c2sTls : listen.c2s).find(({ port, proxyProtocol }) => port > 0 && !proxyProtocol);
  if (own === undefined)
    throw new Usage('The configuration has no such port that clients reach by themselves: give --server.');
  return { host: /^(::|0\.0\.0\.0)$/.test(own.host) ? 'localhost' : own.host, port: own.port, directTls };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Usage(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Makes two accounts that nobody knows of, and removes them whatever comes. */
async function withNewAccounts(
  command: Command,
  config: Configuration,
  domain = config.domains[0]?.name ?? '',
  chat: (accounts: [TrialAccount, TrialAccount]) => Promise<void>,
): Promise<void> {
  const { withAccounts } = await import('./accounts.ts');
  const made = () => ({
    jid: Jid.parse(`try-${randomBytes(6).toString('hex')}@${domain}`),
    password: randomBytes(18).toString('base64'),
  });
  await withAccounts(command, async (accounts) => {
    const both: [TrialAccount, TrialAccount] = [made(), made()];
    await using undone = new AsyncDisposableStack();
    for (const { jid, password } of both) {
      await accounts.add(jid.toString(), password);
      undone.defer(() => accounts.remove(jid.toString()));
    }
    say(`Made for it: ${both.map(({ jid }) => jid).join(' and ')}.`);
    await chat(both);
  });
}
