import { accountKey, globalKey } from './key.ts';

export type KeyType = 'string' | 'hash' | 'list' | 'set' | 'sorted set';

export interface KeyDeclaration {
  /** The first word of the key. */
  name: string;
  /** `account` (the default): one for each account or room, in its partition. `global`: belongs to no account. */
  scope?: 'account' | 'global';
  /** The names of the parts that follow, for the reader of the table: `['sid', 'epoch']`. */
  parts?: readonly string[];
  type: KeyType;
  /** What it holds, in words. */
  content: string;
  /** What keeps it from growing. */
  bound: string;
  /** When it ends by itself: `none`, `15 min`. */
  ttl: string;
}

/** A declared family of keys. `key('romeo@montague.lit', …parts)`, of global ones `key(…parts)`, gives one of them. */
export interface Keys extends Readonly<KeyDeclaration> {
  key(...parts: string[]): string;
}

/** A store declares its keys with this, uses them through `key`, and so they are in docs/keyspace.md. */
export function declareKeys(declaration: KeyDeclaration): Keys {
  const { name, scope = 'account', parts = [] } = declaration;
  const count = parts.length + (scope === 'account' ? 1 : 0);
  const key = (...given: string[]) => {
    const [first = '', ...rest] = given;
    if (given.length !== count) throw new TypeError(`A ${name} key has ${count} parts, not ${given.length}`);
    return scope === 'account' ? accountKey(name, first, ...rest) : globalKey(name, ...given);
  };
  key(...Array<string>(count).fill('')); // A wrong name is told when it is declared.
  return { ...declaration, key };
}

function pattern({ name, scope = 'account', parts = [] }: KeyDeclaration): string {
  const head = scope === 'account' ? `${name}:{p}:<bare JID>` : `${name}:{global}`;
  return [head, ...parts.map((part) => `<${part}>`)].join(':');
}

const cell = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The table of docs/keyspace.md, in alphabetical order. `{p}` stands for the partition's tag, `{p0}` to `{p1023}`. */
export function renderKeys(declarations: readonly KeyDeclaration[]): string {
  const rows = declarations
    .map((declaration) => {
      const { type, content, bound, ttl } = declaration;
      return `| \`${cell(pattern(declaration))}\` | ${[type, content, bound, ttl].map(cell).join(' | ')} |`;
    })
    .sort();
  return ['| key | type | content | bound | expiry |', '| --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}
