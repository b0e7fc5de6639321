import type { GroupHead } from '@parley/server/auth/groups/group';
import type { TestServer } from './server.ts';

/** Makes or changes a group of the server, as a directory would; of its members each has the name in front of the @. */
export async function putGroup(
  server: TestServer,
  name: string,
  { add = [], remove = [], ...head }: Partial<Omit<GroupHead, 'name'>> & { add?: string[]; remove?: string[] } = {},
): Promise<void> {
  const { groups } = server.node;
  const known = groups.get(name);
  const wanted = { name, label: name, source: 'corp', shownTo: 'members' as const, ...known, ...head };
  const { label, source, shownTo } = wanted;
  await groups.change(name, {
    head: { name: wanted.name, label, source, shownTo },
    add: new Map(add.map((jid) => [jid, jid.slice(0, jid.indexOf('@'))])),
    remove,
  });
  await server.settled();
}

/** Takes a group of the server away. */
export async function removeGroup(server: TestServer, name: string): Promise<void> {
  await server.node.groups.remove(name);
  await server.settled();
}
