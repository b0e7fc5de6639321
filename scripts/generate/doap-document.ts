import { escapeText } from '@parley/xmpp/escape';
import { type SupportedXep, supportedXeps, xepNumber } from './supported-xeps.ts';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const RFCS = [6120, 6121, 7590, 7622];

/** doap.xml (XEP-0453): the project in words that programs read. */
export function doapDocument(): string {
  const xeps = supportedXeps().map(supportedXep);
  const rfcs = RFCS.map((rfc) => `    <implements rdf:resource='https://www.rfc-editor.org/info/rfc${rfc}'/>`);
  return `<?xml version='1.0' encoding='UTF-8'?>
<!-- Made by \`npm run generate\`. -->
<rdf:RDF xmlns:rdf='${RDF}'
         xmlns='http://usefulinc.com/ns/doap#'
         xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>
  <Project>
    <name>Parley</name>
    <shortdesc xml:lang='en'>An XMPP instant messaging and presence server for organisations</shortdesc>
    <license rdf:resource='https://www.apache.org/licenses/LICENSE-2.0'/>
    <programming-language>TypeScript</programming-language>
    <os>Linux</os>
    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-server'/>
${[...rfcs, ...xeps].join('\n')}
  </Project>
</rdf:RDF>
`;
}

function supportedXep({ number, version, partial, note }: SupportedXep): string {
  const lines = [
    `<xmpp:xep rdf:resource='https://xmpp.org/extensions/xep-${xepNumber(number)}.html'/>`,
    `<xmpp:status>${partial ? 'partial' : 'complete'}</xmpp:status>`,
    `<xmpp:version>${escapeText(version)}</xmpp:version>`,
    ...(note === undefined ? [] : [`<xmpp:note xml:lang='en'>${escapeText(note)}</xmpp:note>`]),
  ];
  const indented = lines.map((line) => `        ${line}`).join('\n');
  return `    <implements>\n      <xmpp:SupportedXep>\n${indented}\n      </xmpp:SupportedXep>\n    </implements>`;
}
