import { expect, it } from 'vitest';
import { optionSchema } from './option-schema.ts';
import { ConfigurationError, problemsOf } from './problem.ts';
import { configurationSchema } from './schema.ts';

function problems(audit: object): string[] {
  const tree = { audit };
  const result = configurationSchema().safeParse(tree);
  if (result.success) return [];
  const found = new ConfigurationError(problemsOf(result.error.issues, tree, optionSchema()));
  return found.problems.map(({ path, problem, cure }) => `${path} ${problem}: ${cure}`);
}

it.each([
  {},
  { file: '/var/log/parley/audit.log' },
  { syslog: { transport: 'socket' } },
  { syslog: { transport: 'udp', host: 'logs.example.org', facility: 'local3' } },
  { syslog: { transport: 'tls', host: 'logs.example.org', authorities: 'a.pem', certificate: 'b.pem', key: 'c.pem' } },
])('takes %o', (audit) => {
  expect(problems(audit)).toEqual([]);
});

it.each([
  [{ syslog: { transport: 'tls' } }, 'audit.syslog.host is missing: `tls` needs the server that it goes to'],
  [
    { syslog: { host: 'logs.example.org' } },
    'audit.syslog.transport is none: write udp, tcp or tls, since there is a host',
  ],
  [
    { syslog: { transport: 'tcp', host: 'logs.example.org', authorities: 'a.pem' } },
    'audit.syslog.transport is tcp: write tls, or leave the certificates out',
  ],
  [
    { syslog: { transport: 'tls', host: 'logs.example.org', key: 'c.pem' } },
    'audit.syslog.certificate is missing: give both or neither',
  ],
  [
    { syslog: { transport: 'tls1', host: 'logs.example.org' } },
    'audit.syslog.transport is "tls1": write one of none, socket, udp, tcp, tls; did you mean tls?',
  ],
  [{ perSecond: 0 }, 'audit.perSecond is 0: write a whole number, 1 or more'],
])('tells of %o what is wrong, and what to write', (audit, problem) => {
  expect(problems(audit)).toEqual([problem]);
});
