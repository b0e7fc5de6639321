import type { Module } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { sourceModules } from './source-modules.ts';
import { XEP_TITLES } from './xep-titles.ts';

export interface SupportedXep {
  readonly number: number;
  readonly title: string;
  readonly version: string;
  readonly note: string | undefined;
  /** Only a part of it. */
  readonly partial: boolean;
  /** The module that has it; undefined where it belongs to the core and cannot be switched off. */
  readonly module: Module | undefined;
  /** The file, in the repository. */
  readonly path: string;
}

/** XEPs that are no module: they are part of how streams, addresses, errors and forms work. */
const CORE: readonly { number: number; version: string; path: string; note?: string; partial?: boolean }[] = [
  { number: 4, version: '2.13.2', path: 'packages/xmpp/src/data-form.ts' },
  { number: 59, version: '1.0', path: 'packages/xmpp/src/result-set.ts', note: 'For items of service discovery.' },
  { number: 82, version: '1.1.1', path: 'packages/xmpp/src/date-time.ts' },
  {
    number: 86,
    version: '1.0',
    path: 'packages/xmpp/src/stanza-error.ts',
    note: 'Errors carry the old codes beside the conditions.',
  },
  {
    number: 178,
    version: '1.2',
    path: 'packages/server/src/stream/client-certificate.ts',
    note: 'For clients, and with other servers in both directions.',
  },
  { number: 185, version: '1.0', path: 'packages/server/src/s2s/dialback-key.ts' },
  {
    number: 205,
    version: '1.0.2',
    path: 'packages/server/src/config/limits.ts',
    note: 'Each limit is an option, and has a metric and a line in the log.',
  },
  {
    number: 220,
    version: '1.1.1',
    path: 'packages/server/src/s2s/dialback.ts',
    note: 'Over TLS, where `federation` allows it; several pairs of domains on one stream where it says so, too.',
  },
  {
    number: 227,
    version: '1.1',
    path: 'packages/server/src/account-part.ts',
    note: 'In both directions, by `parley export` and `parley import`; without message archives, and of PEP nodes the vCard and the avatar alone.',
  },
  {
    number: 288,
    version: '1.0.1',
    path: 'packages/server/src/s2s/return-trunk.ts',
    note: 'For whoever asks for it; asked for where the policy says so. Further pairs of domains are not proved from the other end.',
  },
  {
    number: 368,
    version: '1.1.0',
    path: 'packages/server/src/net/tls.ts',
    note: 'Direct TLS for clients and servers, with ALPN.',
  },
  {
    number: 233,
    version: '0.5',
    path: 'packages/server/src/stream/sasl.ts',
    note: 'Where `authentication.kerberos.hostName` says it.',
  },
  { number: 440, version: '1.0.0', path: 'packages/server/src/stream/sasl.ts' },
  { number: 453, version: '0.1.2', path: 'doap.xml' },
  { number: 474, version: '0.5.0', path: 'packages/xmpp/src/sasl' },
  { number: 515, version: '0.1.0', path: 'packages/xmpp/src/sasl/scram.ts' },
];

const files = await sourceModules((path) => /\/src\/(im|xeps)\//.test(path));
const paths = new Map<unknown, string>([...files].map(([path, exported]) => [exported.default, path]));

/** Every XEP that the server has, by number. */
export function supportedXeps(): SupportedXep[] {
  const ofModules = modules.flatMap((module) =>
    (module.xeps ?? []).map((xep) => ({ ...xep, module, path: paths.get(module) ?? missing(module.name) })),
  );
  const all = [...CORE.map((xep) => ({ ...xep, module: undefined })), ...ofModules];
  return all
    .map(({ note, partial = false, ...xep }) => ({ ...xep, note, partial, title: titleOf(xep.number) }))
    .sort((a, b) => a.number - b.number);
}

function titleOf(number: number): string {
  return XEP_TITLES.get(number) ?? missing(`XEP-${xepNumber(number)}: give it a title in xep-titles.ts`);
}

/** `0030` */
export const xepNumber = (number: number): string => String(number).padStart(4, '0');

function missing(what: string): never {
  throw new Error(`Nothing is known of ${what}.`);
}
