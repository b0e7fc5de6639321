import type { Directory } from '../directory.ts';
import { comparableDn } from '../groups/dn.ts';
import { readGroupEntry } from '../groups/group-entry.ts';
import { GroupGraph } from '../groups/group-graph.ts';
import { type GroupSettings, groupAttributes } from '../groups/group-settings.ts';
import type { MemberPerson } from '../groups/member-people.ts';
import { primaryGroupOf } from '../groups/primary-group.ts';
import type { Person } from '../person.ts';
import { counted, type Finding, failed, note, ok } from './finding.ts';

/** In which of the groups somebody is, groups in groups followed, and whether they may log in because of that. */
export async function* examineGroups(directory: Directory, person: Person, groups: GroupSettings) {
  const found = await groupsOf(directory, person, groups);
  const list = found.map(({ dn }) => dn).join('; ');
  yield note(
    found.length === 0 ? `is in no group below ${groups.base}` : `is in ${counted(found.length, 'group')}: ${list}`,
  );
  if (groups.mayLogIn.length > 0) yield accessWords(directory.name, found, groups);
}

function accessWords(directory: string, found: readonly { name: string }[], { mayLogIn }: GroupSettings): Finding {
  const allowed = new Set(mayLogIn.map((name) => name.toLowerCase()));
  const group = found.find(({ name }) => allowed.has(`${directory}/${name}`.toLowerCase()));
  if (group !== undefined) return ok(`is in ${group.name}, whose members may log in`);
  const elsewhere = mayLogIn.filter((name) => !name.toLowerCase().startsWith(`${directory}/`));
  const words = `is in none of the groups that may log in (${mayLogIn.join(', ')})`;
  if (elsewhere.length > 0) return note(`${words}, as far as this directory tells`);
  return failed(`${words}: add the entry to one, or correct \`groups.mayLogIn\``);
}

async function groupsOf(directory: Directory, person: Person, settings: GroupSettings) {
  const { entry, account } = person;
  const own = comparableDn(entry.dn);
  const login = entry.text(settings.login)?.toLowerCase();
  const primary = settings.primary && primaryGroupOf(entry, settings.primary);
  const member: MemberPerson = { dn: own, login, account: account.bareText, name: '' };
  const people = {
    byDn: (dn: string) => (dn === own ? member : undefined),
    byLogin: (name: string) => (name === login ? member : undefined),
    ofPrimaryGroup: (sid: string) => (sid === primary ? [member] : []),
  };
  const graph = new GroupGraph();
  const { base, scope, filter } = settings;
  for await (const entries of directory.searchPages(base, { scope, filter, attributes: groupAttributes(settings) })) {
    for (const each of entries) graph.set(each.dn, await readGroupEntry(each.dn, each, settings, directory));
  }
  const found: { dn: string; name: string }[] = [];
  for (const dn of graph.ids) {
    const group = graph.get(dn);
    const members = group && graph.membersOf(group, people, () => undefined, settings);
    if (group !== undefined && members?.size) found.push({ dn, name: group.name });
  }
  return found;
}
