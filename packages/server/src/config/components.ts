import { domainPart } from '@parley/xmpp/jid';
import * as z from 'zod';
import { choice, flag, secret, secretFile, section } from './option.ts';
import { prepared } from './prepared.ts';

const live = true;

/** What somebody could guess is no secret: whoever has it speaks for everybody of the domain. */
const SHORTEST_SECRET = 8;

const ACCESS = ['none', 'get', 'set', 'both'] as const;

const privileges = section('What it may do for the users of this server, without asking them (XEP-0356).', {
  domains: z.array(prepared('a domain', domainPart)).max(10_000).prefault([]).meta({
    live,
    description:
      'For the users of these domains. Where none are named: of the domain that the component lies below, or of all where it lies below none.',
  }),
  roster: choice(ACCESS, 'none', { live, description: 'Read their rosters (`get`), change them (`set`), or both.' }),
  rosterPushes: flag(true, { live, description: 'Be told of each change of a roster that it may read.' }),
  message: choice(['none', 'outgoing'], 'none', { live, description: 'Send messages in their names.' }),
  presence: choice(['none', 'managedEntity'], 'none', { live, description: 'Be told when they come and go.' }),
  iq: z
    .array(
      z.strictObject({
        namespace: z.string().min(1).max(1024).meta({ description: 'The namespace of the request.' }),
        access: choice(['get', 'set', 'both'], 'both', { live, description: 'Which requests: `get`, `set`, or both.' }),
      }),
    )
    .max(100)
    .default([])
    .meta({ live, description: 'Send requests in their names, by what these ask for.' }),
});

/** What lets a component in at all cannot be given to it. */
const NEVER_DELEGATED = ['urn:xmpp:delegation:2', 'urn:xmpp:privilege:2'];

const delegation = section('Requests to the server that the component answers in its place (XEP-0355).', {
  domains: z.array(prepared('a domain', domainPart)).max(10_000).prefault([]).meta({
    live,
    description:
      'To these domains and their accounts. Where none are named: to the domain that the component lies below, or to all where it lies below none.',
  }),
  namespaces: z
    .array(
      z.strictObject({
        namespace: z
          .string()
          .min(1)
          .max(1024)
          .refine((ns) => !NEVER_DELEGATED.includes(ns), 'cannot be delegated: name another namespace')
          .meta({ description: 'The namespace of the request.' }),
        attributes: z.array(z.string().min(1).max(255)).max(10).default([]).meta({
          live,
          description: 'Only requests that have all these attributes.',
        }),
      }),
    )
    .max(100)
    .default([])
    .meta({ live, description: 'Which requests, by what these ask for.' }),
});

const component = z.strictObject({
  domain: prepared('a domain', domainPart).meta({
    description: 'The domain that the component serves: one that is none of `domains`, mostly below one of them.',
  }),
  secret: secret({
    live,
    min: SHORTEST_SECRET,
    description: 'What the component proves to know, at least 8 characters; better in a file.',
  }),
  secretFile: secretFile('secret'),
  name: z.string().min(1).max(255).optional().meta({
    live,
    description: 'What clients show for it in the list of the server’s services.',
  }),
  listed: flag(true, {
    live,
    description: 'Show it in the list of the services of the domain that it lies below, or of all domains.',
  }),
  subdomains: flag(false, {
    live,
    description: 'It serves all domains below its own, too, unless they are somebody else’s.',
  }),
  instances: z.number().int().min(1).max(1000).optional().meta({
    live,
    description: 'How many instances of it may be connected, instead of `limits.components.instances`.',
  }),
  privileges,
  delegation,
});

export const components = z.array(component).max(1000).prefault([]).meta({
  live,
  description:
    'External components (XEP-0114): programs that connect to `listen.components` and serve domains of their own, such as gateways and chat rooms.',
});

/** One component as the file has it, with every default filled in. */
export type ComponentConfiguration = z.infer<typeof component>;

interface Parts {
  readonly components?: readonly Partial<ComponentConfiguration>[] | undefined;
  readonly domains?: readonly { readonly name?: string | undefined }[] | undefined;
}

export interface ComponentProblem {
  readonly path: PropertyKey[];
  /** What is wrong, a colon, what to write instead. */
  readonly message: string;
}

/** What is wrong between parts that are each as they should be. Any of them may be missing or not be what it should. */
export function componentProblems({ components: given, domains: served }: Parts): ComponentProblem[] {
  const ours = new Set((Array.isArray(served) ? served : []).map((each) => each?.name));
  const seen = new Set<string>();
  const list = Array.isArray(given) ? given : [];
  return [...list.entries()].flatMap(([index, each]) => {
    if (typeof each !== 'object' || each === null) return [];
    const problems: ComponentProblem[] = [];
    const report = (key: string, message: string) => problems.push({ path: ['components', index, key], message });
    const { domain } = each;
    if (typeof domain === 'string') {
      if (ours.has(domain)) report('domain', 'is one of `domains`: give the component a domain of its own');
      if (seen.has(domain)) report('domain', 'stands there twice: give each component a domain of its own');
      seen.add(domain);
    }
    if (each.secret === undefined && each.secretFile === undefined) {
      report('secret', 'is missing: write what the component knows, or a `secretFile` that holds it');
    }
    for (const part of ['privileges', 'delegation'] as const) {
      for (const managed of each[part]?.domains ?? []) {
        if (ours.has(managed)) continue;
        report(part, `names ${managed}, which is none of \`domains\`: name those alone that this server has`);
      }
    }
    return problems;
  });
}
