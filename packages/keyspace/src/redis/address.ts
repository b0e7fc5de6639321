import { KeyspaceError } from '../keyspace-error.ts';

export interface HostPort {
  host: string;
  port: number;
}

/** What a Redis URL says. */
export interface RedisAddress {
  kind: 'single' | 'sentinel' | 'cluster';
  hosts: readonly [HostPort, ...HostPort[]];
  tls: boolean;
  username: string | undefined;
  password: string | undefined;
  database: number;
  /** What the sentinels call it. */
  name: string;
}

const form = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const hostForm = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;

const usage =
  'Write redis://host:port/database, rediss:// for TLS, redis+sentinel://host1,host2/name ' +
  'or redis+cluster://host1,host2, each with user:password@ before the hosts where they are asked for.';

function wrong(what: string): KeyspaceError {
  // The URL itself is not told: it may hold a password.
  return new KeyspaceError('refused', `The address of Redis ${what}. ${usage}`);
}

function readHost(text: string, port: number): HostPort {
  const match = hostForm.exec(text);
  if (!match) throw wrong(`names the host '${text}', which is none`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: match[2] === undefined ? port : Number(match[2]) };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text ? decodeURIComponent(text) : undefined;
  } catch {
    throw wrong('has a % in its user or password that is not followed by two hexadecimal digits (write % as %25)');
  }
}

/** Throws `refused`, in words that do not repeat the password. */
export function readAddress(url: string): RedisAddress {
  const match = form.exec(url);
  if (!match) throw wrong('cannot be read');
  const [, scheme, kind = 'single', credentials = '', hostList = '', path = ''] = match;
  const colon = credentials.indexOf(':');
  const username = colon < 0 ? credentials : credentials.slice(0, colon);
  const password = colon < 0 ? undefined : credentials.slice(colon + 1);
  const port = kind === 'sentinel' ? 26379 : 6379;
  const [first = { host: '', port }, ...others] = hostList.split(',').map((host) => readHost(host, port));
  if (kind === 'single' && others.length > 0) throw wrong('names several hosts, which only sentinel and cluster do');
  if (kind === 'sentinel' && !path) throw wrong('lacks the name that the sentinels know it by');
  if (kind === 'cluster' && path) throw wrong('names a database, and a cluster has only one');
  if (kind === 'single' && !/^\d*$/.test(path)) throw wrong(`names the database '${path}', which is no number`);
  return {
    kind: kind as RedisAddress['kind'],
    hosts: [first, ...others],
    tls: scheme === 'rediss',
    username: decode(username),
    password: decode(password),
    database: kind === 'single' ? Number(path) : 0,
    name: kind === 'sentinel' ? path : '',
  };
}
