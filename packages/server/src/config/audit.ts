import * as z from 'zod';
import { bytes, choice, count, file, section } from './option.ts';

export const FACILITIES = [
  'auth',
  'authpriv',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

export type Facility = (typeof FACILITIES)[number];

const syslog = section('A syslog server that gets it, too, with structured data (RFC 5424).', {
  transport: choice(['none', 'socket', 'udp', 'tcp', 'tls'], 'none', {
    description:
      'How it goes there: `socket`, to the daemon of this machine; `udp` (RFC 5426), where nobody learns what was lost; `tcp` with octet counting (RFC 6587); `tls` (RFC 5425).',
  }),
  socket: z.string().min(1).max(100).default('/dev/log').meta({
    path: true,
    description: 'The socket of the daemon of this machine.',
  }),
  host: z.string().max(255).default('').meta({ description: 'The server.' }),
  port: z.number().int().min(0).max(65_535).default(0).meta({
    description: 'Its port. 0: that of the transport, 514 for UDP, 601 for TCP, 6514 for TLS.',
  }),
  facility: choice(FACILITIES, 'authpriv', { description: 'The facility of the messages.' }),
  authorities: file({
    description: 'Certificates (PEM) of those who vouch for the server. Left out: those that the machine trusts.',
  }),
  certificate: file({ description: 'Certificate chain (PEM) that the node shows where the server asks for it.' }),
  key: file({ description: 'Private key (PEM) of that certificate.' }),
}).superRefine(({ transport, host, authorities, certificate, key }, context) => {
  const problem = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const far = transport === 'udp' || transport === 'tcp' || transport === 'tls';
  if (far && host === '') problem('host', `is missing: \`${transport}\` needs the server that it goes to`);
  if (!far && host !== '') problem('transport', `is ${transport}: write udp, tcp or tls, since there is a host`);
  if (transport !== 'tls' && (authorities ?? certificate ?? key) !== undefined) {
    problem('transport', `is ${transport}: write tls, or leave the certificates out`);
  }
  if ((certificate === undefined) !== (key === undefined)) {
    problem(certificate === undefined ? 'certificate' : 'key', 'is missing: give both or neither');
  }
});

export const audit = section(
  'The audit stream: logins, what administrators do, and whom the server refuses; one entry a line. Off where neither a file nor a syslog server is given.',
  {
    file: file({
      description:
        'A file that entries are added to, as JSON. It is made with the mode 0600, and made anew when it was moved away.',
    }),
    syslog,
    perSecond: count(100, {
      description:
        'Entries of one kind in a second that others can cause, such as failed logins. What is beyond is counted, in an entry of its own.',
    }),
    maxWaitingBytes: bytes(8_388_608, {
      min: 65_536,
      description:
        'What may wait in memory while the file or the server takes nothing. What is beyond is dropped and counted.',
    }),
  },
);
