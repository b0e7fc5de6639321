// What the tests need from the machine, and how it gets there: given by the environment, found installed, run in a
// container, or installed with apt-get.
//
//     node scripts/test-services.ts            what `npm test` needs
//     node scripts/test-services.ts --bench    what `npm run bench:compare` needs
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from './apt-install.ts';
import { provideHelm } from './helm.ts';

export interface Need {
  name: string;
  /** The environment variable that gives it. */
  variable?: string;
  found(): boolean;
  /** True where a container does as well as an installed program. */
  container: boolean;
  /** Debian's packages. */
  packages: string[];
}

/** The first of these programs that is installed. Daemons are often in /usr/sbin, which is not on every PATH. */
export function findProgram(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A Python that has slixmpp: TEST_PYTHON, Debian's own (which python3-slixmpp belongs to), or the first on PATH. */
export function findPython(): string | undefined {
  const candidates = [process.env.TEST_PYTHON, '/usr/bin/python3', findProgram('python3')];
  return candidates.find(
    (python) => python && spawnSync(python, ['-c', 'from slixmpp import ClientXMPP']).status === 0,
  );
}

/** Whether Debian's own Python, which Debian's packages are for, has these modules. */
const pythonHas = (...modules: string[]) =>
  spawnSync('/usr/bin/python3', ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0;

/** Gajim's library, in Debian's own Python, with TLS. */
function hasNbxmpp(): boolean {
  const uses =
    "import gi; gi.require_version('Soup', '3.0'); from gi.repository import Gio; from nbxmpp.client import Client";
  const needs = `${uses}; assert Gio.TlsBackend.get_default().supports_tls()`;
  return spawnSync('/usr/bin/python3', ['-c', needs]).status === 0;
}

/** True where a container engine answers. */
function containersRun(): boolean {
  const docker = findProgram('docker', 'podman');
  return docker !== undefined && spawnSync(docker, ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

const program = (name: string, packages: string[], binaries = [name]): Need => ({
  name,
  found: () => findProgram(...binaries) !== undefined,
  container: false,
  packages,
});

export const testNeeds: Need[] = [
  {
    name: 'Redis',
    variable: 'TEST_REDIS_URL',
    found: () => findProgram('redis-server', 'valkey-server') !== undefined,
    container: true,
    packages: ['redis-server'],
  },
  {
    name: 'Python with slixmpp',
    variable: 'TEST_PYTHON',
    found: () => findPython() !== undefined,
    container: false,
    packages: ['python3', 'python3-slixmpp'],
  },
  {
    name: 'nbxmpp',
    found: hasNbxmpp,
    container: false,
    packages: ['python3-nbxmpp', 'glib-networking'],
  },
  program('openssl', ['openssl']),
  program('haproxy', ['haproxy']),
  program('389 Directory Server', ['389-ds-base', 'ldap-utils'], ['ns-slapd']),
  program('certutil', ['libnss3-tools']),
  program('slapd', ['slapd', 'slapd-contrib', 'ldap-utils', 'libsasl2-modules']),
  program('prosody', ['prosody', 'lua-unbound']),
  program('ejabberd', ['ejabberd'], ['ejabberdctl']),
  {
    name: 'Kerberos',
    found: () =>
      ['krb5kdc', 'kadmin.local', 'kinit', 'gsasl'].every((name) => findProgram(name)) &&
      pythonHas('gssapi', 'kerberos'),
    container: false,
    packages: ['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'gsasl', 'python3-gssapi', 'python3-kerberos'],
  },
  program('SNMP manager', ['snmp'], ['snmpbulkwalk']),
  program('snmpd', ['snmpd']),
  program('snmptrapd', ['snmptrapd']),
  program('rsyslogd', ['rsyslog', 'rsyslog-openssl']),
  program('prometheus', ['prometheus']),
  program('go-sendxmpp', ['go-sendxmpp']),
  program('curl', ['curl']),
  program('smilint', ['smitools'], ['smilint']),
  program('systemd', ['systemd'], ['systemd-analyze']),
  {
    name: 'the standard MIB modules',
    found: () => standardMibs() !== undefined,
    container: false,
    packages: ['erlang-snmp'],
  },
];

/** Where Debian keeps the modules that others import: no package of its own has them. */
export function standardMibs(): string | undefined {
  return globSync('/usr/lib/erlang/lib/snmp-*/mibs')[0];
}

const benchNeeds: Need[] = [
  program('ejabberd', ['ejabberd'], ['ejabberdctl']),
  program('prosody', ['prosody']),
  program('python3', ['python3']),
  program('openssl', ['openssl']),
  program('make', ['make']),
  { ...program('gcc with the headers of OpenSSL', ['gcc', 'libc6-dev', 'libssl-dev']), found: compilesWithOpenssl },
];

function compilesWithOpenssl(): boolean {
  const input = '#include <openssl/ssl.h>\n';
  return spawnSync('gcc', ['-E', '-x', 'c', '-', '-o', '/dev/null'], { input }).status === 0;
}

/** One message for all that is missing, with every way to mend it. */
export function missingMessage(missing: Need[], why: string): string {
  const lines = missing.map(({ name, variable, container, packages }) =>
    [
      `  ${name}:`,
      variable && `set ${variable}, or`,
      container && 'start a container engine, or',
      `install it (Debian: apt-get install ${packages.join(' ')})`,
    ]
      .filter(Boolean)
      .join(' '),
  );
  return `Some things are missing here, and ${why}:\n${lines.join('\n')}`;
}

/** Sees to it that everything is there. Throws an error that names all that is missing and all ways to get it. */
export async function provide(needs: Need[]): Promise<void> {
  const absent = (need: Need) => !(need.variable && process.env[need.variable]) && !need.found();
  let missing = needs.filter(absent);
  if (missing.some((need) => need.container) && containersRun()) missing = missing.filter((need) => !need.container);
  if (missing.length === 0) return;

  if (!existsSync('/usr/bin/apt-get')) throw new Error(missingMessage(missing, 'this is not Debian'));
  if (process.getuid?.() !== 0) throw new Error(missingMessage(missing, 'only root may install them'));
  const packages = missing.flatMap((need) => need.packages);
  process.stderr.write(`Installing: ${packages.join(' ')} …\n`);
  const failure = await aptInstall(packages);
  missing = missing.filter(absent);
  if (missing.length > 0) throw new Error(missingMessage(missing, failure ?? 'apt-get did not bring them'));
}

if (import.meta.main) {
  try {
    const bench = process.argv.includes('--bench');
    await provide(bench ? benchNeeds : testNeeds);
    if (!bench) provideHelm();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
