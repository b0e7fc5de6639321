import { EqualityFilter, OrFilter } from 'ldapts';
import { Log } from '../../../log.ts';
import { DialError, dial, lookAtCertificate, type ShownCertificate, trustIn } from '../../../net/dial.ts';
import { dialWords } from '../connection/failure-words.ts';
import { LdapServer, signalWithin, startTls } from '../connection/ldap-server.ts';
import type { Directory } from '../directory.ts';
import { DirectoryAway, DirectoryRefused } from '../directory-error.ts';
import type { Entry } from '../entry.ts';
import { modesOf, type SynchronisationMode } from '../following/synchronisation-modes.ts';
import { LdapDirectory } from '../ldap-directory.ts';
import { NoPerson } from '../person.ts';
import type { DirectorySettings } from '../settings.ts';
import { counted, type Finding, failed, note, ok } from './finding.ts';
import { examineUser } from './person-examination.ts';

/** What belongs together, under a title. */
export interface Chapter {
  readonly title: string;
  readonly findings: AsyncIterable<Finding>;
}

const DAY = 86_400_000;
/** A certificate that has less to live is worth a word. */
const RENEW_DAYS = 30;
/** People that are looked at one by one. */
const MOST_PEOPLE = 20_000;

/** Looks at each server of a directory in turn, step by step, and at a person, with nothing else of Parley running. */
export function* examine(settings: DirectorySettings, user?: string, password?: string): Generator<Chapter> {
  for (const url of settings.servers) {
    yield { title: url, findings: examineServer({ ...settings, servers: [url] }) };
  }
  if (user !== undefined) yield { title: user, findings: examinePerson(settings, user, password) };
}

async function* examineServer(settings: DirectorySettings): AsyncGenerator<Finding> {
  const trust = trustIn(settings.authorityCertificates);
  const server = new LdapServer(settings.servers[0] ?? '', settings, trust);
  try {
    const socket = await dial(server.host, server.port, signalFor(settings));
    yield ok(`takes connections (${socket.remoteAddress}, port ${server.port})`);
    if (!server.encryptedAtOnce && !settings.startTls) {
      socket.destroy();
      yield note('is not encrypted, as `allowUnencrypted` has it: passwords can be read on the way');
    } else {
      const plain = server.encryptedAtOnce ? socket : await startTls(socket, signalFor(settings));
      const shown = await lookAtCertificate(plain, server.host, trust, signalFor(settings));
      yield* examineCertificate(shown, server);
      if (shown.fault !== undefined) return;
    }
    (await server.lease(deadlineFor(settings))).release(true);
    yield ok(`lets ${settings.bind.dn} in`);
  } catch (error) {
    yield failed(wordsOf(error, server));
    return;
  }
  yield* withDirectory(settings, examineContent);
}

function* examineCertificate(
  { names, issuer, validTo, fault }: ShownCertificate,
  server: LdapServer,
): Generator<Finding> {
  const until = validTo.toISOString().slice(0, 10);
  const certificate = `a certificate for ${names.join(', ')}, made by ${issuer}, good until ${until}`;
  if (fault !== undefined) {
    yield failed(`shows ${certificate}. ${dialWords(fault, server.host, server.port)}`);
    return;
  }
  yield ok(`is encrypted, with ${certificate}`);
  const days = Math.floor((validTo.getTime() - Date.now()) / DAY);
  if (days < RENEW_DAYS) yield note(`has a certificate for ${counted(days, 'day')} more: renew it soon`);
}

async function* examineContent(directory: Directory): AsyncGenerator<Finding> {
  const { settings } = directory;
  yield* examinePeople(directory);
  const dse = await directory.rootDse();
  const contexts = [dse.text('defaultNamingContext'), ...dse.texts('namingContexts')];
  const base = contexts.find((each) => each !== undefined && each !== '') ?? settings.people.base;
  yield* examineGroups(directory, base);
  yield* examineAbilities(dse, settings);
}

async function* examinePeople(directory: Directory): AsyncGenerator<Finding> {
  const { people, domains } = directory.settings;
  const { base, scope, filter, attributes } = people;
  const reasons = new Map<string, { count: number; example: string }>();
  let accounts = 0;
  let all = 0;
  for await (const page of directory.searchPages(base, { scope, filter, attributes })) {
    for (const entry of page) {
      all++;
      const person = await directory.person(entry);
      if (!(person instanceof NoPerson)) accounts++;
      else {
        const known = reasons.get(person.kind);
        if (known === undefined) reasons.set(person.kind, { count: 1, example: `${entry.dn} ${person.why}` });
        else known.count++;
      }
    }
    if (all >= MOST_PEOPLE) break;
  }
  const several = all >= MOST_PEOPLE ? `${MOST_PEOPLE} people or more` : counted(all, 'person', 'people');
  if (domains.size === 0) {
    yield failed('gives accounts to no domain: name it in `accounts` of a domain, or in `authentication.accounts`');
  } else if (all === 0) {
    yield failed(
      `has nobody below ${base} that ${filter} fits: correct \`people.base\` or \`people.filter\`, or let ${directory.settings.bind.dn} read`,
    );
  } else if (accounts === 0) {
    yield failed(`has ${several} below ${base}, but none is an account: see below`);
  } else yield ok(`has ${several} below ${base}, of whom ${counted(accounts, 'is an account', 'are accounts')}`);
  for (const { count, example } of reasons.values()) {
    const words = `${example}${count > 1 ? `; so it is with ${counted(count - 1, 'other')}` : ''}`;
    yield accounts === 0 ? failed(words) : note(words);
  }
}

const GROUP_CLASSES = ['groupOfNames', 'groupOfUniqueNames', 'posixGroup', 'group'];

async function* examineGroups(directory: Directory, naming: string): AsyncGenerator<Finding> {
  const { groups } = directory.settings;
  const { base } = groups ?? { base: naming };
  const classes = GROUP_CLASSES.map((value) => new EqualityFilter({ attribute: 'objectClass', value }));
  const filter = groups?.filter ?? new OrFilter({ filters: classes });
  let count = 0;
  try {
    for await (const page of directory.searchPages(base, {
      scope: groups?.scope ?? 'sub',
      filter,
      attributes: ['1.1'],
    })) {
      count += page.length;
    }
    const found = `has ${counted(count, 'group')} below ${base}`;
    if (groups === undefined) yield note(found);
    else if (count > 0) yield ok(found);
    else
      yield note(`${found} that ${filter} fits: correct \`groups.base\` or \`groups.filter\` if there should be some`);
  } catch (error) {
    if (!(error instanceof DirectoryRefused)) throw error;
    yield failed(`does not show groups below ${base} (${error.code}, "${error.message}"): correct \`groups.base\``);
  }
}

/** The ways in which a directory tells by itself what changes, in words. */
const TELLS_CHANGES: Partial<Record<SynchronisationMode, string>> = {
  contentSynchronisation: 'content synchronisation',
  notification: 'change notification',
  persistentSearch: 'persistent search',
};
const PASSWORD_POLICY = '1.3.6.1.4.1.42.2.27.8.5.1';

function* examineAbilities(dse: Entry, { preset }: DirectorySettings): Generator<Finding> {
  const controls = new Set(dse.texts('supportedControl'));
  if (preset.type === 'activeDirectory' || controls.has(PASSWORD_POLICY)) {
    yield ok('tells what becomes of passwords: locked, expired, to be changed');
  } else yield note('tells no more of passwords than right or wrong: it has no password policy, or does not show it');
  const [mode = 'polling'] = modesOf(dse);
  const tells = TELLS_CHANGES[mode];
  if (tells !== undefined) yield ok(`tells changes at once (${tells})`);
  else yield note('does not tell changes, so it is asked for them again and again (OpenLDAP: the overlay syncprov)');
  const mechanisms = dse.texts('supportedSASLMechanisms').filter((each) => each.startsWith('SCRAM-'));
  if (mechanisms.length > 0) yield note(`speaks ${mechanisms.join(', ')} itself`);
}

async function* examinePerson(settings: DirectorySettings, user: string, password?: string): AsyncGenerator<Finding> {
  yield* withDirectory(settings, (directory) => examineUser(directory, user, password));
}

async function* withDirectory(
  settings: DirectorySettings,
  act: (directory: Directory) => AsyncIterable<Finding>,
): AsyncGenerator<Finding> {
  const directory = new LdapDirectory(settings, Log.create({ level: 'silent' }));
  try {
    yield* act(directory);
  } catch (error) {
    yield failed(wordsOf(error));
  } finally {
    await directory.close();
  }
}

function wordsOf(error: unknown, server?: LdapServer): string {
  if (error instanceof DialError && server !== undefined) return dialWords(error, server.host, server.port);
  if (error instanceof DirectoryRefused) return `refuses (${error.code}, "${error.message}"): see what its log says`;
  if (error instanceof DirectoryAway) return error.message;
  throw error;
}

const deadlineFor = ({ answerSeconds }: DirectorySettings) => performance.now() + answerSeconds * 1000;
const signalFor = (settings: DirectorySettings) => signalWithin(deadlineFor(settings), settings.connectTimeoutSeconds);
