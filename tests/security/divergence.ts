/** Where XmlReader and expat are known to disagree, and why that harms nobody. */
interface Divergence {
  readonly why: string;
  /** A document that shows it. */
  readonly example: string | Buffer;
  holds(document: string, ours: string | undefined, theirs: string | undefined): boolean;
}

export const divergences: readonly Divergence[] = [
  {
    why: 'RFC 6120 §11.1 takes less than XML: no comments, processing instructions and document types',
    example: '<a><!-- --></a>',
    holds: (_, ours) => ours === 'restricted-xml',
  },
  {
    why: 'RFC 6120 §11.7 lets nothing but white space stand between stanzas',
    example: '<a>x<b/></a>',
    holds: (_, ours) => ours === 'bad-format',
  },
  {
    why: 'RFC 6120 §11.6 knows UTF-8 alone, and expat was told to read UTF-8 whatever the document says',
    example: `<?xml version='1.0' encoding='latin1'?><a/>`,
    holds: (_, ours) => ours === 'unsupported-encoding',
  },
  {
    why: 'expat reads a document of any version of XML as one of 1.0',
    example: `<?xml version='1.1'?><a/>`,
    holds: (document, ours) =>
      ours === 'not-well-formed' && /^\ufeff?<\?xml\s+version\s*=\s*(['"])(?!1\.0\1)/.test(document),
  },
  {
    why: 'nothing comes behind the end of a stream (RFC 6120 §4.4); XML takes comments and processing instructions there',
    example: '<a></a><!-- -->',
    holds: (document, ours, theirs) =>
      ours === 'not-well-formed' && theirs === undefined && /(?:--|\?)>[ \t\r\n]*$/.test(document),
  },
  {
    why: 'expat notices a character that stops short behind the end of the stream; we wait for the rest of it',
    example: Buffer.from('<a></a>é').subarray(0, -1),
    holds: (_, ours, theirs) => ours === undefined && theirs === 'partial character',
  },
  {
    why: 'expat knows the letters of the fourth edition of XML; names of the fifth may hold more',
    example: '<a><\u{1f600}/></a>',
    holds: (document, ours, theirs) =>
      ours === undefined &&
      theirs === 'not well-formed (invalid token)' &&
      /<[^<>]*[\u0080-\uffff][^<>]*>/.test(document),
  },
];

/** Why a document may be taken by one and refused by the other; undefined where nothing explains it. */
export function divergence(document: string, ours: string | undefined, theirs: string | undefined): string | undefined {
  return divergences.find(({ holds }) => holds(document, ours, theirs))?.why;
}
