import type { Configuration } from './config/schema.ts';

/** The URL with the password that stands beside it. */
export function keyspaceUrl({ keyspace: { url, password } }: Configuration): string {
  if (password === undefined || !/^redis/.test(url)) return url;
  const [scheme = '', rest = ''] = url.split('://');
  const at = rest.indexOf('@');
  const user = at === -1 ? '' : (rest.slice(0, at).split(':')[0] ?? '');
  return `${scheme}://${user}:${encodeURIComponent(password)}@${rest.slice(at + 1)}`;
}
