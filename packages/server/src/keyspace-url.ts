import type { Configuration } from './config/schema.ts';

/** For how many replicas of Redis what belongs to a domain waits, of the domains for which that is configured. */
export function domainReplicas({ domains }: Configuration): ReadonlyMap<string, number> {
  return new Map(domains.flatMap(({ name, replicas }) => (replicas === undefined ? [] : [[name, replicas]])));
}

/** The URL with the password that stands beside it. */
export function keyspaceUrl({ keyspace: { url, password } }: Configuration): string {
  if (password === undefined || !/^redis/.test(url)) return url;
  const [scheme = '', rest = ''] = url.split('://');
  const at = rest.indexOf('@');
  const user = at === -1 ? '' : (rest.slice(0, at).split(':')[0] ?? '');
  return `${scheme}://${user}:${encodeURIComponent(password)}@${rest.slice(at + 1)}`;
}
