import { createReadStream, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { XmlDocument, XmlDocumentError } from '@parley/xmpp/xml-document';
import { includedFile } from './xinclude.ts';

/** Where something stands in the files of an export. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What an export (XEP-0227) says, in its order. */
export type PortableEvent = { readonly place: Place } & (
  | { readonly type: 'host'; readonly jid: string }
  | { readonly type: 'user'; readonly name: string; readonly password: string | undefined }
  /** A child of a `<user/>`, or a message of its `<offline-messages/>`. */
  | { readonly type: 'part' | 'message'; readonly element: Element }
  | { readonly type: 'user-end' }
  /** Something that is left aside. */
  | { readonly type: 'foreign' | 'too-large'; readonly what: string }
  | { readonly type: 'include'; readonly href: string; readonly inside: Level }
);

/** What the elements that are read are children of. */
type Level = 'document' | 'server-data' | 'host' | 'user' | 'offline-messages';

/** What no import can take more of: rosters and vCards with pictures are the largest. */
const LIMITS = {
  maxBytes: 8_388_608,
  maxElements: 200_000,
  maxDepth: 256,
  maxAttributes: 256,
  maxNameLength: 8192,
};

/** Files that include each other. */
const MOST_LEVELS = 8;

export interface PortableFileOptions {
  /** Whether something of an account can be taken, by its start tag. */
  reads(element: Element): boolean;
  /** Bytes were read. */
  onRead?(bytes: number): void;
  /** A file that was named is no export by itself: leave it aside, since another one includes it. */
  readonly skipsParts?: boolean;
}

/** Reads an export from a file, or from standard input where that is `-`, with the files that it includes. Throws an XmlDocumentError. */
export async function* readPortable(file: string, options: PortableFileOptions): AsyncGenerator<PortableEvent> {
  yield* readLevel(file, 'document', file === '-' ? undefined : realpathSync(dirname(resolve(file))), 0, options);
}

async function* readLevel(
  file: string,
  level: Level,
  folder: string | undefined,
  depth: number,
  options: PortableFileOptions,
): AsyncGenerator<PortableEvent> {
  const walk = new Walk(file, level, options);
  const input: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const bytes of input) {
      options.onRead?.(bytes.length);
      yield* told(walk.take(bytes));
      if (walk.isPart) return;
    }
    yield* told(walk.end());
  } catch (error) {
    if (!(error instanceof XmlDocumentError)) throw error;
    throw new XmlDocumentError(error.line, `${file}, line ${error.line}: ${error.message}`);
  }

  async function* told(events: readonly PortableEvent[]): AsyncGenerator<PortableEvent> {
    for (const event of events) {
      if (event.type !== 'include') yield event;
      else {
        if (folder === undefined || depth === MOST_LEVELS) throw new XmlDocumentError(event.place.line, NO_INCLUDES);
        const included = includedFile(event.href, file, folder);
        if (typeof included !== 'string') throw new XmlDocumentError(event.place.line, included.problem);
        yield* readLevel(included, event.inside, folder, depth + 1, options);
      }
    }
  }
}

const NO_INCLUDES = 'Other files cannot be included from standard input, nor in more than eight levels.';

/** What comes below each level, and what it is called. */
const BELOW: Readonly<Partial<Record<Level, readonly [name: string, level: Level]>>> = {
  document: ['server-data', 'server-data'],
  'server-data': ['host', 'host'],
  host: ['user', 'user'],
  user: ['offline-messages', 'offline-messages'],
};

/** Turns one file into events. */
class Walk {
  readonly #file: string;
  readonly #options: PortableFileOptions;
  readonly #document: XmlDocument;
  /** What is open, the outermost first. */
  readonly #levels: Level[];
  #events: PortableEvent[] = [];
  isPart = false;

  constructor(file: string, level: Level, options: PortableFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#levels = [level];
    this.#document = new XmlDocument(
      {
        onOpen: (element, _depth, line) => this.#opened(element, line),
        onElement: (element, line) => this.#whole(element, line),
        onTooLarge: ({ name, ns }, line) =>
          this.#tell({ type: 'too-large', what: `<${name}/> of ${ns}`, place: this.#at(line) }),
        onClose: (_depth, line) => {
          if (this.#levels.pop() === 'user') this.#tell({ type: 'user-end', place: this.#at(line) });
        },
      },
      LIMITS,
    );
  }

  take(bytes: Buffer): readonly PortableEvent[] {
    this.#document.write(bytes);
    return this.#taken();
  }

  end(): readonly PortableEvent[] {
    this.#document.end();
    return this.#taken();
  }

  #taken(): readonly PortableEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #tell(event: PortableEvent): void {
    this.#events.push(event);
  }

  #at = (line: number): Place => ({ file: this.#file, line });

  get #level(): Level {
    return this.#levels.at(-1) as Level;
  }

  #opened(element: Element, line: number): 'enter' | 'whole' | 'skip' {
    if (this.isPart) return 'skip';
    const level = this.#level;
    const place = this.#at(line);
    const [name = '', below] = BELOW[level] ?? [];
    if (below !== undefined && element.is(name, NS.portable)) return this.#enter(element, below, place);
    if (level === 'document') return this.#foreignRoot(element, line);
    // §5: those inside what an account keeps are its own
    if (element.is('include', NS.xinclude)) return 'whole';
    if (level === 'offline-messages') return element.name === 'message' ? 'whole' : 'skip';
    if (level === 'user' && (this.#options.reads(element) || OWN.has(element.ns))) return 'whole';
    this.#tell({ type: 'foreign', what: `<${element.name}/> of ${element.ns || 'no namespace'}`, place });
    return 'skip';
  }

  #enter(element: Element, below: Level, place: Place): 'enter' | 'skip' {
    const attribute = below === 'host' ? 'jid' : below === 'user' ? 'name' : undefined;
    const value = attribute === undefined ? '' : element.attr(attribute);
    if (value === undefined) {
      this.#tell({ type: 'foreign', what: `<${element.name}/> without ${attribute}`, place });
      return 'skip';
    }
    this.#levels.push(below);
    if (below === 'host') this.#tell({ type: 'host', jid: value, place });
    if (below === 'user') this.#tell({ type: 'user', name: value, password: element.attr('password'), place });
    return 'enter';
  }

  #foreignRoot({ ns }: Element, line: number): 'skip' {
    if (!this.#options.skipsParts || ns !== NS.portable) throw new XmlDocumentError(line, FOREIGN_ROOT);
    this.isPart = true;
    return 'skip';
  }

  #whole(element: Element, line: number): void {
    const place = this.#at(line);
    const inside = this.#level;
    if (element.is('include', NS.xinclude)) {
      if (element.attr('parse') !== undefined || element.attr('xpointer') !== undefined) {
        throw new XmlDocumentError(line, 'An <include/> with `parse` or `xpointer` is not read (XEP-0227 §5).');
      }
      this.#tell({ type: 'include', href: element.attr('href') ?? '', inside, place });
    } else if (inside === 'offline-messages') this.#tell({ type: 'message', element, place });
    else this.#tell({ type: 'part', element, place });
  }
}

/** What belongs to the account itself. */
const OWN: ReadonlySet<string> = new Set([NS.portableScram, NS.parleyAccount]);

const FOREIGN_ROOT =
  'This is no export by XEP-0227: its first element is not <server-data xmlns="urn:xmpp:pie:0"/>. Name the main file of the export.';
