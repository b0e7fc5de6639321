import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadConfiguration } from './load.ts';
import { count } from './option.ts';
import { ConfigurationError } from './problem.ts';
import type { Configuration, ModuleSettings } from './schema.ts';

const modules: ModuleSettings[] = [
  { name: 'ping', schema: z.strictObject({ everySeconds: count(60, { description: 'Time between pings.' }) }) },
  { name: 'old-thing', enabled: false },
];

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-config-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(text: string, name = 'parley.yaml'): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const load = (text: string, env: Record<string, string> = {}): Configuration =>
  loadConfiguration({ file: write(text), env, modules });

/** The problems of a configuration, as `path problem: cure`. */
function problems(text: string, env: Record<string, string> = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ path, problem, cure }) => `${path} ${problem}: ${cure}`);
  }
  throw new Error('no problem was found');
}

describe('a file', () => {
  it('may be missing: everything has a default', () => {
    const configuration = loadConfiguration({ env: {}, directory, modules });
    expect(configuration.domains).toEqual([{ name: 'localhost' }]);
    expect(configuration.limits.stanzas.perSecond).toBe(50);
    expect(configuration.keyspace.url).toBe(`embedded:${join(directory, 'data')}`);
    expect(configuration.modules).toEqual({
      ping: { enabled: true, everySeconds: 60 },
      'old-thing': { enabled: false },
    });
  });

  it('may be empty, or have sections with nothing in them', () => {
    expect(load('').tls.required).toBe(true);
    expect(load('tls:\nlog:\n  level:\n').log.level).toBe('info');
  });

  it('may be YAML or JSON', () => {
    expect(load('drain:\n  seconds: 5').drain.seconds).toBe(5);
    expect(load('{"drain": {"seconds": 7}}').drain.seconds).toBe(7);
  });

  it('is named by PARLEY_CONFIG when nobody else names one', () => {
    const file = write('log: {level: debug}');
    expect(loadConfiguration({ env: { PARLEY_CONFIG: file } }).log.level).toBe('debug');
  });

  it('gives its directory to relative paths', () => {
    const configuration = load(
      'tls: {certificate: tls/chain.pem, key: /etc/key.pem}\nkeyspace: {url: embedded:store}\n' +
        'domains: [{name: a.example, certificate: a.pem, key: b.pem}]',
    );
    expect(configuration.tls).toMatchObject({ certificate: join(directory, 'tls/chain.pem'), key: '/etc/key.pem' });
    expect(configuration.domains[0]?.certificate).toBe(join(directory, 'a.pem'));
    expect(configuration.keyspace.url).toBe(`embedded:${join(directory, 'store')}`);
    expect(configuration.admin.socket).toBe(join(directory, 'data/parley.sock'));
  });

  it('has short forms for a domain and for a module', () => {
    const configuration = load('domains: [a.example, {name: B.example}]\nmodules: {ping: false, old-thing: true}');
    expect(configuration.domains).toEqual([{ name: 'a.example' }, { name: 'b.example' }]);
    expect(configuration.modules).toMatchObject({ ping: { enabled: false }, 'old-thing': { enabled: true } });
  });

  it('switches a limit off with 0, which its readers see as Infinity', () => {
    const { limits } = load('limits: {stanzas: {perSecond: 0}, output: {maxBytes: 0}}');
    expect(limits.stanzas.perSecond).toBe(Number.POSITIVE_INFINITY);
    expect(limits.output.maxBytes).toBe(Number.POSITIVE_INFINITY);
  });

  it('may hold 32 characters of secret in another file', () => {
    const text = 'x'.repeat(40);
    write(`${text}\n`, 'secret');
    expect(load('cluster: {secretFile: secret}').cluster.secret).toBe(text);
    expect(problems('cluster: {secretFile: nowhere}')).toEqual([
      'cluster.secretFile cannot be read (ENOENT): name a file that the node may read',
    ]);
    expect(problems(`cluster: {secretFile: secret, secret: ${text}}`)).toEqual([
      'cluster.secretFile stands beside secret: keep one of the two',
    ]);
  });
});

describe('problems', () => {
  it('come all at once, each with its place and its cure', () => {
    const text = [
      'limts: {}',
      'domains: ["a b", 5]',
      'keyspace: {url: "redis://h"}',
      'limits: {connections: {perAddress: -1, trustedNetworks: [x]}, output: {maxBytes: 5}}',
      'log: {level: dbug}',
      'drain: 5',
      'modules: {png: true}',
      'tls: {key: a, required: "yes"}',
      'listen: {c2s: [{host: h, port: 70000}]}',
      'admins: [a@b.example/c]',
      'contact: {abuse: [me]}',
    ].join('\n');
    const found = problems(text, { PARLEY_LOG__PRETTY: 'perhaps' });
    const expected = [
      /^PARLEY_LOG__PRETTY is "perhaps": write true or false$/,
      /^limts is not an option: did you mean limits\?$/,
      /^domains\[0\]\.name is not a domain: /,
      /^domains\[1\] is 5: write a group of options: name, certificate, key, mechanisms, accounts, replicas$/,
      /^cluster\.secret is missing: /,
      /^limits\.connections\.perAddress is -1: write a whole number, 0 or more$/,
      /^limits\.connections\.trustedNetworks\[0\] is not a network: write /,
      /^limits\.output\.maxBytes is less than one stanza: write at least /,
      /^log\.level is "dbug": write one of trace, .*, silent; did you mean debug\?$/,
      /^drain is 5: write a group of options: seconds, sessionsPerSecond, now$/,
      /^modules\.png is not an option: did you mean ping\?$/,
      /^tls has only one of `certificate` and `key`: give both or neither$/,
      /^tls\.required is "yes": write true or false$/,
      /^listen\.c2s\[0\]\.port is 70000: write a whole number from 0 to 65535$/,
      /^admins\[0\] is not the bare address of an account: write it as user@domain$/,
      /^contact\.abuse\[0\] is not a URI: write /,
    ];
    expect(found).toHaveLength(expected.length);
    for (const pattern of expected) expect(found).toContainEqual(expect.stringMatching(pattern));
  });

  it('come together where an option is not of its type, too', () => {
    expect(problems('domains: a.example\nkeyspace: {url: "redis://h"}\nlisten: {c2s: 5222}')).toEqual([
      'domains is "a.example": write a list of 1 to 10000 entries, such as ["a.example"]',
      'listen.c2s is 5222: write a list of at most 64 entries',
      expect.stringMatching(/^cluster\.secret is missing: /),
    ]);
  });

  it('tell of a port that nobody could use', () => {
    const listen = 'listen: {c2sTls: [{host: h, port: 1, proxyProtocol: true}]}';
    expect(problems(listen)).toEqual([expect.stringMatching(/^proxyProtocol\.trustedNetworks is empty: /)]);
    expect(problems(`${listen}\nproxyProtocol: {trustedNetworks: [lb.example]}`)).toEqual([
      expect.stringMatching(/^proxyProtocol\.trustedNetworks\[0\] is neither an address nor a network: write /),
    ]);
    expect(load(`${listen}\nproxyProtocol: {trustedNetworks: ['::1', 10.0.0.0/8]}`).proxyProtocol).toEqual({
      trustedNetworks: ['::1', '10.0.0.0/8'],
      headerTimeoutSeconds: 5,
    });
  });

  it('are in the message of the error', () => {
    expect(() => load('drain: 5\nlog: 5')).toThrow(
      'The configuration has 2 problems:\n  log is 5: write a group of options: level, pretty\n  drain is 5',
    );
  });

  it('cannot write control characters to the terminal', () => {
    expect(() => load('"\\e[31mred\\u202e": 1')).toThrow('  \\u001b[31mred\\u202e is not an option');
  });

  it('never show a secret', () => {
    const found = problems('cluster: {secret: hunter2}\nkeyspace: {password: [hunter2]}', {
      PARLEY_CLUSTER__SECRET: 'hunter3',
    });
    expect(found).toEqual([
      'keyspace.password is a list: write text of 1 to 4096 characters',
      'cluster.secret has 7 characters: write text of 32 to 4096 characters',
    ]);
  });

  it('are found in a repeated domain and a repeated mechanism', () => {
    expect(problems('domains: [a.example, A.example]\nauthentication: {mechanisms: [PLAIN, PLAIN]}')).toEqual([
      'domains names a domain twice: name each once',
      'authentication.mechanisms names a mechanism twice: name each once',
    ]);
  });
});

describe('a hostile or broken file', () => {
  it.each([
    ['text that is no group', '- 1\n- 2', 'holds no group of options'],
    ['a repeated key', 'log: {}\nlog: {}', 'is not valid YAML (Map keys must be unique'],
    ['an open bracket', 'log: {', 'is not valid YAML'],
    ['a tag of its own', 'log: !!js/function x', 'is not valid YAML'],
    ['brackets without end', '['.repeat(200_000), 'is not valid YAML'],
    ['two documents', '--- {}\n--- {}\n', 'is not valid YAML'],
  ])('with %s is refused in words', (_, text, problem) => {
    expect(problems(text).join('\n')).toContain(`${join(directory, 'parley.yaml')} ${problem}`);
  });

  it('cannot multiply itself by aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(', ')}]`);
    expect(problems(lines.join('\n')).join('\n')).toMatch(/cannot be understood \(.*alias/);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('cannot reach a prototype by %s', (key) => {
    expect(problems(`${key}: {polluted: true}\nlog: {${key}: 1}`)).toHaveLength(2);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('that is missing is named', () => {
    expect(() => loadConfiguration({ file: join(directory, 'none.yaml'), env: {} })).toThrow(
      `${join(directory, 'none.yaml')} cannot be read (ENOENT): name a file that exists`,
    );
  });
});

describe('the environment', () => {
  it('overrides the file, by the names of the options', () => {
    const { limits, log, domains, listen, modules, stream } = load('log: {level: warn}\nlimits: {bytes: {burst: 1}}', {
      PARLEY_LOG__LEVEL: 'debug',
      PARLEY_LIMITS__BYTES__PER_SECOND: '1234',
      PARLEY_STREAM__AFTER_AUTHENTICATION__MAX_STANZA_BYTES: '20000',
      PARLEY_DOMAINS: 'a.example, b.example',
      PARLEY_LISTEN__C2S: '[{"host":"127.0.0.1","port":0}]',
      PARLEY_MODULES__OLD_THING: 'true',
      PARLEY_MODULES__PING__EVERY_SECONDS: '5',
    });
    expect(log.level).toBe('debug');
    expect(limits.bytes).toEqual({ perSecond: 1234, burst: 1 });
    expect(stream.afterAuthentication.maxStanzaBytes).toBe(20_000);
    expect(domains.map(({ name }) => name)).toEqual(['a.example', 'b.example']);
    expect(listen.c2s).toEqual([{ host: '127.0.0.1', port: 0, proxyProtocol: false }]);
    expect(modules).toEqual({ ping: { enabled: true, everySeconds: 5 }, 'old-thing': { enabled: true } });
  });

  it('names the file of a secret', () => {
    const file = write('y'.repeat(32), 'secret');
    expect(load('', { PARLEY_CLUSTER__SECRET_FILE: file }).cluster.secret).toBe('y'.repeat(32));
  });

  it('is refused where it names no option, with the one that was meant', () => {
    expect(problems('', { PARLEY_LIMITS__BYTES__PERSECOND: '1' })).toEqual([
      'PARLEY_LIMITS__BYTES__PERSECOND names no option: did you mean PARLEY_LIMITS__BYTES__PER_SECOND?',
    ]);
    expect(problems('', { PARLEY_DRAIN__SECONDS: 'soon', PARLEY_LISTEN__HTTP: '[{' })).toEqual([
      'PARLEY_DRAIN__SECONDS is "soon": write a whole number from 0 to 3600',
      'PARLEY_LISTEN__HTTP is "[{": write a list of at most 64 entries',
    ]);
  });

  it('may hold what Kubernetes sets for a service called parley, and what concerns others', () => {
    const env = {
      PARLEY_SERVICE_HOST: '10.0.0.1',
      PARLEY_SERVICE_PORT_C2S: '5222',
      PARLEY_PORT: 'tcp://10.0.0.1:5222',
      PARLEY_PORT_5222_TCP_ADDR: '10.0.0.1',
      PARLEY_ADMIN_SERVICE_HOST: '10.0.0.2',
      PATH: '/bin',
    };
    expect(load('', env).log.level).toBe('info');
  });
});
