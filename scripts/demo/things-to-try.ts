import { standardMibs } from '../test-services.ts';
import type { Ports } from './ports.ts';

/** The people of deploy/demo/people.ldif and carol.ldif. */
const PEOPLE = [
  ['alice@localhost', 'wonderland'],
  ['bob@localhost', 'pickwick'],
  ['dora@localhost', 'copperfield'],
  ['emil@localhost', 'detective'],
];

export interface Running {
  /** As it is named on a command line. */
  readonly folder: string;
  readonly ports: Ports;
}

interface Thing {
  readonly title: string;
  readonly commands: readonly string[];
}

function things({ folder: path, ports }: Running): Thing[] {
  const folder = forShell(path);
  const client = `SSL_CERT_FILE=${folder}/secrets/parley/ca.crt go-sendxmpp -j 127.0.0.1:${ports.clients}`;
  const administrator = `-x -ZZ -H ldap://127.0.0.1:${ports.directory} -D cn=admin,dc=example,dc=org -y ${folder}/secrets/openldap/admin-password`;
  const change = (file: string) =>
    `LDAPTLS_CACERT=${folder}/secrets/openldap/ca.crt ldapmodify ${administrator} -f deploy/demo/${file}.ldif`;
  const secret = (name: string) => `"$(cat ${folder}/secrets/parley/${name})"`;
  const parley = `npx parley --config ${folder}/node1.yaml`;
  const query = (text: string) => `promtool query instant http://127.0.0.1:${ports.prometheus} '${text}'`;
  return [
    {
      title: 'Hear what Alice is told (in another terminal)',
      commands: [`${client} -u alice@localhost -p wonderland -l`],
    },
    { title: 'Tell her something', commands: [`echo Hello | ${client} -u bob@localhost -p pickwick alice@localhost`] },
    {
      title: 'Who is there, and how the nodes are',
      commands: [`${parley} status`, `${parley} directory test alice@localhost`],
    },
    {
      title: 'Kill a node: clients go on at the other one, and it comes back in ten seconds',
      commands: [`kill -9 "$(cat ${folder}/node1.pid)"`],
    },
    {
      title: 'Add Carol to the directory: she can log in at once, with the password prairie',
      commands: [change('carol')],
    },
    {
      title: 'Lock Bob: he is logged out at once. And unlock him',
      commands: [change('disable-bob'), change('enable-bob')],
    },
    {
      title: 'Walk through the nodes by SNMP, names first',
      commands: [
        `${parley} mib > ${folder}/XMPP-SERVER-MIB.txt`,
        `snmpbulkwalk -v3 -l authPriv -u monitor -a SHA-256 -A ${secret('snmp-password')} -x AES -X ${secret('snmp-privacy-password')} ` +
          `-M ${folder}:${standardMibs() ?? '/usr/share/snmp/mibs'} -m XMPP-SERVER-MIB 127.0.0.1:${ports.snmp} xmppNodeTable`,
      ],
    },
    {
      title: 'Ask Prometheus',
      commands: [query('sum by (instance) (xmpp_sessions)'), query('sum by (state) (parley_node_state)')],
    },
  ];
}

/** A path as one word for a shell. */
const forShell = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);

/** What is shown when all of it runs. */
export function whatToTry(running: Running): string {
  const { folder, ports } = running;
  const people = PEOPLE.map(([address, password]) => `  ${address?.padEnd(18)}${password}`);
  const tried = things(running).map(({ title, commands }) =>
    [title, ...commands.map((each) => `  ${each}`)].join('\n'),
  );
  return `People of the directory, and their passwords, for any client on this machine
(server 127.0.0.1, port ${ports.clients} with STARTTLS, port ${ports.clientsTls} with TLS from the start; trust ${folder}/secrets/parley/ca.crt):
${people.join('\n')}

Pages
  http://127.0.0.1:${ports.prometheus}   Prometheus, with its alerts
  http://127.0.0.1:${ports.page}   HAProxy: which node has how many clients

${tried.join('\n\n')}

Logs are in ${folder}/log. Ctrl-C stops all of it; what it holds stays in ${folder}, which can be removed then.
`;
}
