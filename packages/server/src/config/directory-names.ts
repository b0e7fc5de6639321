import * as z from 'zod';

/** Names in DNs and filters: more than a look at their form is taken when the directory is made ready. */
export const distinguishedName = z
  .string()
  .max(1024)
  .regex(/^\s*[A-Za-z0-9.-]+\s*=/, 'is not a distinguished name: write it as ou=people,dc=example,dc=org');

export const attributeName = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9.;-]*$/, 'is not the name of an attribute: write it as mail or employeeNumber');

export const searchFilter = z
  .string()
  .max(4096)
  .regex(/^\s*\(.*\)\s*$/s, 'is not a filter: write it as (objectClass=person)');
