import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerMake, PeerSetting } from './peer-process.ts';
import { programOf } from './unprivileged.ts';

/** What it says of ports that are open. */
const OPENED = ['c2s', 's2s', 's2s_direct_tls'].map((name) => `Activated service '${name}'`);

/** Debian's Prosody. */
export const PROSODY: PeerMake = {
  name: 'Prosody',

  prepare(setting) {
    const { folder, options } = setting;
    const { certificate, authority } = options;
    const file = (name: string) => join(folder, name);
    mkdirSync(file('data'), { recursive: true });
    copyFileSync(certificate.certificate, file('own.crt'));
    copyFileSync(certificate.key, file('own.key'));
    copyFileSync(authority, file('authority.crt'));
    writeFileSync(file('prosody.cfg.lua'), configuration(setting));
    return { program: programOf('prosody'), words: ['-F', '--config', file('prosody.cfg.lua')], env: {} };
  },

  portTaken: /address already in use/i,

  listens: (said) => OPENED.every((words) => said.includes(words)),
};

function configuration({ folder, ports: [c2s, s2s, direct], options }: PeerSetting): string {
  const { domain, dns, secure, bidirectional, scram, portable } = options;
  return `
    pidfile = "${folder}/prosody.pid"
    data_path = "${folder}/data"
    plugin_paths = { }
    modules_enabled = {
      "disco"; "roster"; "saslauth"; "tls"; "dialback"; "blocklist"; "carbons"; "pep"; "vcard4"; "vcard_legacy";
      "smacks"; "private"; "version"; "time"; "ping"; "register_ibr"; ${bidirectional ? '"s2s_bidi";' : ''}
    }
    allow_registration = true
    min_seconds_between_registrations = 0
    authentication = "internal_${scram ? 'hashed' : 'plain'}"
    default_storage = "${portable ? 'xep0227' : 'internal'}"
    allow_unencrypted_plain_auth = true
    c2s_require_encryption = false
    s2s_require_encryption = true
    s2s_secure_auth = ${secure}
    interfaces = { "127.0.0.1" }
    local_interfaces = { "127.0.0.1" }
    c2s_ports = { ${c2s} }
    s2s_ports = { ${s2s} }
    s2s_direct_tls_ports = { ${direct} }
    http_ports = { }
    https_ports = { }
    unbound = {
      resolvconf = false; hoststxt = false; forward = "127.0.0.1@${dns.port}";
      options = { ["do-not-query-localhost:"] = "no"; ["cache-max-ttl:"] = "0"; ["cache-max-negative-ttl:"] = "0" };
    }
    log = { { levels = { min = "debug" }; to = "console"; } }
    ssl = { key = "${folder}/own.key"; certificate = "${folder}/own.crt"; cafile = "${folder}/authority.crt" }
    VirtualHost "${domain}"
  `;
}
