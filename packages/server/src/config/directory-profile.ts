import * as z from 'zod';
import { bytes, choice, count, flag, seconds, section } from './option.ts';

const live = true;

/** The same form as everywhere else where attributes are named. */
const attribute = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9.;-]*$/, 'is not the name of an attribute: write it as mail or employeeNumber');

const attributes = (description: string, ...names: string[]) =>
  z.array(attribute).max(8).default(names).meta({ live, description });

/** Which attributes are what of a vCard: the first that has a value counts. An empty list leaves it to the user. */
const fields = section(
  'Which attributes are what in a vCard: the first of them that has a value counts. What is given an empty list is none of the directory’s business: users set it themselves.',
  {
    fullName: attributes('The whole name (FN).', 'displayName', 'cn'),
    familyName: attributes('The family name (N/FAMILY).', 'sn'),
    givenName: attributes('The given name (N/GIVEN).', 'givenName'),
    middleName: attributes('Further names (N/MIDDLE).'),
    nickname: attributes('The nickname (NICKNAME).'),
    title: attributes('The position (TITLE).', 'title'),
    role: attributes('The role (ROLE).'),
    organization: attributes('The organisation (ORG/ORGNAME).', 'o', 'company'),
    unit: attributes('Its unit (ORG/ORGUNIT); all values.', 'ou', 'department'),
    email: attributes('Mail addresses (EMAIL); all values.', 'mail'),
    phone: attributes('Telephone numbers at work (TEL/WORK); all values.', 'telephoneNumber'),
    mobile: attributes('Mobile numbers (TEL/CELL); all values.', 'mobile'),
    fax: attributes('Fax numbers (TEL/FAX); all values.', 'facsimileTelephoneNumber'),
    pager: attributes('Pagers (TEL/PAGER); all values.'),
    homePhone: attributes('Telephone numbers at home (TEL/HOME); all values.'),
    street: attributes('The street at work (ADR/STREET).', 'street', 'streetAddress'),
    locality: attributes('The town (ADR/LOCALITY).', 'l'),
    region: attributes('The region (ADR/REGION).', 'st'),
    postalCode: attributes('The postal code (ADR/PCODE).', 'postalCode'),
    country: attributes('The country (ADR/CTRY).', 'co', 'c'),
    birthday: attributes('The birthday (BDAY).'),
    url: attributes('A web page (URL).', 'labeledURI', 'wWWHomePage'),
    description: attributes('A description (DESC).'),
    photo: attributes('The photo (PHOTO): JPEG, PNG, GIF or WebP.', 'jpegPhoto', 'thumbnailPhoto'),
  },
);

/** What people are shown of each other. */
export const directoryVcard = section('vCards made of what the directory says about people (XEP-0054, XEP-0292).', {
  enabled: flag(true, { live, description: 'Make them. Otherwise users have the vCards that they set themselves.' }),
  fields,
  readers: choice(['server', 'everyone'], 'server', {
    live,
    description:
      'Who sees what the directory says: `server` the accounts of this server, and those elsewhere who may see the presence of its owner, or `everyone`.',
  }),
  writable: z
    .array(z.string().max(32))
    .max(32)
    .refine((names) => names.every((name) => name in fields.unwrap().shape), {
      error: `names something that is no field: write those of \`fields\`, such as mobile or photo`,
    })
    .default([])
    .meta({
      live,
      description:
        'Fields, by their names in `fields`, that users may change in their vCards: the change goes to the first attribute of the field, by the account that Parley has in the directory.',
    }),
  maxPhotoBytes: bytes(98_304, {
    live,
    max: 1_048_576,
    description: 'Larger photos are left out: they are not made smaller. In a vCard a photo takes a third more.',
  }),
  cacheSeconds: seconds(60, {
    live,
    max: 86_400,
    description: 'For so long what the directory said of somebody is believed without asking again.',
  }),
  cacheBytes: bytes(16_777_216, {
    live,
    description: 'Memory for it in each node; what was asked for longest ago goes first.',
  }),
});

/** Who may look for people. */
export const directorySearch = section('Looking for people in the directory (XEP-0055), at `search.DOMAIN`.', {
  allow: z
    .union([z.enum(['domain', 'server', 'nobody']), z.array(z.string().min(1).max(1024)).min(1).max(100)])
    .default('domain')
    .meta({
      description:
        'Who may: `domain` the accounts of the domains that this directory has people in, `server` those of all domains of this server, `nobody` nobody at all, or the members of the groups of the directory that are named here. Users of other servers never may.',
    }),
  first: attributes('What “first name” is looked for in.', 'givenName'),
  last: attributes('What “last name” is looked for in.', 'sn'),
  nick: attributes('What “nickname” is looked for in.', 'uid', 'sAMAccountName'),
  email: attributes('What “mail address” is looked for in.', 'mail'),
  name: attributes('What “full name” is looked for in.', 'displayName', 'cn'),
  unit: attributes('What “unit” is looked for in.', 'ou', 'department'),
  maxResults: count(50, { live, max: 1000, description: 'People in one answer. Whoever finds more is told so.' }),
});
