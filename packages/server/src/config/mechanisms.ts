import * as z from 'zod';

/** Forms with channel binding come with theirs, and tokens with SASL2. */
const MECHANISMS = [
  'SCRAM-SHA-512',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'OAUTHBEARER',
  'PLAIN',
  'EXTERNAL',
  'GSSAPI',
  'ANONYMOUS',
] as const;

/** What can be named, best first. */
export const mechanisms = z
  .array(z.enum(MECHANISMS))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names a mechanism twice: name each once');

interface Naming {
  readonly authentication?: { readonly mechanisms?: readonly string[] } | undefined;
  readonly domains?: readonly { readonly mechanisms?: readonly string[] | undefined }[] | undefined;
}

/** Some domain is to offer it. Any part of the configuration may be missing. */
export const namesMechanism = ({ authentication, domains }: Naming, name: (typeof MECHANISMS)[number]): boolean =>
  [authentication?.mechanisms, ...(domains ?? []).map((each) => each.mechanisms)].some((list) => list?.includes(name));
