import { findProgram, missingMessage, type Need, testNeeds } from '../test-services.ts';

const NAMES = [
  'Redis',
  'openssl',
  'haproxy',
  'slapd',
  'prometheus',
  'SNMP manager',
  'the standard MIB modules',
  'go-sendxmpp',
];

/** What the demonstration is made of, besides Parley itself: all of it installed, since it runs no containers. */
export const demoNeeds: Need[] = testNeeds
  .filter(({ name }) => NAMES.includes(name))
  .map(({ variable: _, ...need }) => ({ ...need, container: false }));

/** The first of these programs that is installed. */
export function programOf(...names: string[]): string {
  const found = findProgram(...names);
  if (found === undefined) throw new Error(missingMessage(demoNeeds, `${names[0]} is not installed`));
  return found;
}
