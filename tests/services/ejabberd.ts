import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { PeerMake, PeerSetting } from './peer-process.ts';
import { programOf } from './unprivileged.ts';

/** Its commands, over a Unix socket in its folder. */
const API = 'api.sock';

/** Has ejabberd carry out one of its commands, as `ejabberdctl` does. */
export async function ejabberdCommand(folder: string, command: string, args: object): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { socketPath: join(folder, API), method: 'POST', path: `/api/${command}` };
  const headers = { 'content-type': 'application/json', host: 'localhost' };
  const asked = request({ ...options, headers }, async (response) => {
    const said = (await response.toArray()).join('');
    if (response.statusCode === 200) resolve(said);
    else reject(new Error(`ejabberd answers ${response.statusCode}: ${said}`));
  });
  asked.on('error', reject);
  asked.end(JSON.stringify(args));
  return promise;
}

/** Debian's ejabberd, which belongs to no cluster. */
export const EJABBERD: PeerMake = {
  name: 'ejabberd',

  prepare(setting) {
    const { folder, options } = setting;
    const { certificate, authority, dns } = options;
    const file = (name: string) => join(folder, name);
    for (const name of ['spool', 'log']) mkdirSync(file(name), { recursive: true });
    writeFileSync(
      file('own.pem'),
      readFileSync(certificate.certificate, 'utf8') + readFileSync(certificate.key, 'utf8'),
    );
    writeFileSync(file('authority.crt'), readFileSync(authority));
    writeFileSync(file('ejabberd.yml'), configuration(setting));
    // Erlang's own resolver, and no other than that of the tests, which has to be named last
    const resolver = ['{lookup,[file,dns]}', '{resolv_conf,""}', '{hosts_file,""}', '{cache_size,0}'];
    resolver.push(`{host,{127,0,0,1},["localhost"]}`, `{nameserver,{127,0,0,1},${dns.port}}`);
    writeFileSync(file('inetrc'), resolver.map((term) => `${term}.\n`).join(''));
    return {
      program: programOf('ejabberd', 'erl'),
      words: ['-noinput', '-mnesia', 'dir', `"${file('spool')}"`, '-s', 'ejabberd'],
      env: {
        ERL_LIBS: '/usr/lib/x86_64-linux-gnu',
        ERL_INETRC: file('inetrc'),
        ERL_CRASH_DUMP: '/dev/null',
        EJABBERD_CONFIG_PATH: file('ejabberd.yml'),
        EJABBERD_LOG_PATH: file('log/ejabberd.log'),
        LC_ALL: 'C.UTF-8',
      },
    };
  },

  portTaken: /eaddrinuse|Failed to open socket/,

  keeps: (folder, user) => {
    const file = (name: string) => join(folder, 'spool', name);
    return ['LATEST.LOG', 'passwd.DCL', 'passwd.DCD'].some(
      (name) => existsSync(file(name)) && readFileSync(file(name)).includes(user),
    );
  },

  listens: (said, ports) => ports.every((port) => said.includes(`127.0.0.1:${port} for`)),
};

function configuration({ folder, ports, options: { domain, also, secure, scram } }: PeerSetting): string {
  const [c2s, s2s, direct] = ports;
  return `
hosts: ${JSON.stringify(also === undefined ? [domain] : [domain, also])}
loglevel: 4
certfiles: ["${folder}/own.pem"]
ca_file: "${folder}/authority.crt"
s2s_use_starttls: ${secure ? 'required' : 'optional'}
s2s_cafile: "${folder}/authority.crt"
s2s_dns_timeout: 5
s2s_max_retry_delay: 1
listen:
  - {port: ${c2s}, ip: "127.0.0.1", module: ejabberd_c2s, access: c2s, starttls_required: false}
  - {port: ${s2s}, ip: "127.0.0.1", module: ejabberd_s2s_in}
  - {port: ${direct}, ip: "127.0.0.1", module: ejabberd_s2s_in, tls: true}
  - {port: "unix:${folder}/${API}", module: ejabberd_http, request_handlers: {/api: mod_http_api}}
api_permissions: {"all of it": {from: mod_http_api, who: all, what: "*"}}
auth_method: internal
auth_password_format: ${scram ? 'scram' : 'plain'}
registration_timeout: infinity
acl: {local: {user_regexp: ""}}
access_rules:
  local: {allow: local}
  c2s: {allow: all}
  register: {allow: all}
modules:
  mod_disco: {}
  mod_http_api: {}
  mod_private: {}
  mod_roster: {}
  mod_blocking: {}
  mod_offline: {}
  mod_privacy: {}
  mod_ping: {}
  mod_register: {ip_access: all, access: register, password_strength: 0}
  mod_s2s_dialback: {}
  mod_vcard: {}
  mod_version: {}
`;
}
