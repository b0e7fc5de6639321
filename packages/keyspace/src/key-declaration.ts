import { accountKey, globalKey, partitionKey } from './key.ts';

/** `any`: whatever type the key had that it was made of. */
export type KeyType = 'string' | 'hash' | 'list' | 'set' | 'sorted set' | 'any';

export interface KeyDeclaration {
  /** The first word of the key. */
  name: string;
  /**
   * `account` (the default): one for each account or room, in its partition. `partition`: one for each partition, such
   * as an index of what is in it. `global`: belongs to neither.
   */
  scope?: 'account' | 'partition' | 'global';
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

/**
 * A declared family of keys. `key('romeo@montague.lit', …parts)` gives one of them, of a partition `key('17', …parts)`, of
 * global ones `key(…parts)`.
 */
export interface Keys extends Readonly<KeyDeclaration> {
  key(...parts: string[]): string;
}

/** A store declares its keys with this, uses them through `key`, and so they are in docs/keyspace.md. */
export function declareKeys(declaration: KeyDeclaration): Keys {
  const { name, scope = 'account', parts = [] } = declaration;
  const count = parts.length + (scope === 'global' ? 0 : 1);
  const key = (...given: string[]) => {
    const [first = '', ...rest] = given;
    if (given.length !== count) throw new TypeError(`A ${name} key has ${count} parts, not ${given.length}`);
    if (scope === 'account') return accountKey(name, first, ...rest);
    return scope === 'partition' ? partitionKey(name, Number(first), ...rest) : globalKey(name, ...given);
  };
  key(...Array<string>(count).fill('')); // A wrong name is told when it is declared.
  return { ...declaration, key };
}

function pattern({ name, scope = 'account', parts = [] }: KeyDeclaration): string {
  const heads = { account: `${name}:{p}:<bare JID>`, partition: `${name}:{p}`, global: `${name}:{global}` };
  return [heads[scope], ...parts.map((part) => `<${part}>`)].join(':');
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
