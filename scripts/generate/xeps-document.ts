import { type SupportedXep, supportedXeps, xepNumber } from './supported-xeps.ts';

const INTRODUCTION = `# Supported protocols

RFC 6120 (streams, TLS, SASL, resource binding), RFC 6121 (rosters, presence, messages), RFC 7590 (use of TLS) and
RFC 7622 (addresses), as a server of its clients and among other servers, and the extensions below. Made from the declarations in the code by
\`npm run generate\`.

A module is switched by \`modules.<name>\` in the configuration; what has none belongs to the core.

`;

const BASIC_SERVER = `
## XMPP Basic Server

What XEP-0212 asks of a basic server, and where it is. The list dates from 2008 and is obsolete. What it recommends for
old clients alone (XEP-0078, XEP-0138) is there, and off until somebody needs it.

| specification | asked for | here |
| --- | --- | --- |
| RFC 6120 | required | [net](../packages/server/src/net), [stream](../packages/server/src/stream), \
[session](../packages/server/src/session), [routing](../packages/server/src/routing) |
| RFC 6121 | required | [im](../packages/server/src/im), [routing](../packages/server/src/routing) |
`;

const BASIC_XEPS: readonly (readonly [number: number, level: string])[] = [
  [30, 'required'],
  [78, 'recommended'],
  [86, 'recommended'],
  [138, 'recommended'],
];

/** docs/xeps.md */
export function xepsDocument(): string {
  const supported = supportedXeps();
  const head = '| XEP | version | module | remarks |\n| --- | --- | --- | --- |\n';
  const basic = BASIC_XEPS.map(([number, level]) => `| ${link(number)} | ${level} | ${whereOf(supported, number)} |\n`);
  return INTRODUCTION + head + supported.map(row).join('') + BASIC_SERVER + basic.join('');
}

function whereOf(supported: readonly SupportedXep[], number: number): string {
  const xep = supported.find((candidate) => candidate.number === number);
  if (xep === undefined) throw new Error(`XEP-0212 asks for ${xepNumber(number)}, which nothing has.`);
  return where(xep);
}

const link = (number: number) => `[${xepNumber(number)}](https://xmpp.org/extensions/xep-${xepNumber(number)}.html)`;
const where = ({ module, path }: SupportedXep) => `[${module?.name ?? 'core'}](../${path})`;

function row(xep: SupportedXep): string {
  const { number, title, version, module, partial, note } = xep;
  const remarks = [
    ...(module?.enabled === false ? ['Off by default.'] : []),
    ...(partial ? ['In part.'] : []),
    ...(note === undefined ? [] : [sentence(note)]),
  ];
  const cells = [`${link(number)} ${title}`, version, where(xep), remarks.join(' ').replaceAll('|', '\\|')];
  return `| ${cells.join(' | ')} |\n`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
