import type { Oid } from '../protocol/oid.ts';
import type { Value } from '../protocol/value.ts';

/** What stands between SYNTAX and the next line, and the type that SEQUENCE has for it. */
export interface Syntax {
  readonly text: string;
  readonly type: string;
}

const plain = (text: string): Syntax => ({ text, type: text });

export const SYNTAX = {
  text: plain('SnmpAdminString'),
  gauge: plain('Gauge32'),
  counter: plain('Counter64'),
  time: plain('TimeStamp'),
  unsigned: plain('Unsigned32'),
  index: { text: 'Integer32 (1..2147483647)', type: 'Integer32' },
} as const satisfies Record<string, Syntax>;

/** An enumeration (RFC 2578 §7.1.1): names in camel case, and their numbers. */
export const enumeration = (values: Readonly<Record<string, number>>): Syntax => ({
  text: `INTEGER { ${Object.entries(values)
    .map(([name, number]) => `${name}(${number})`)
    .join(', ')} }`,
  type: 'INTEGER',
});

/** What an object tells. Its number is its place for ever: objects are added at the end, and never taken away. */
export interface ObjectType {
  readonly name: string;
  readonly syntax: Syntax;
  readonly description: string;
  readonly units?: string;
}

export interface Scalar<State> extends ObjectType {
  value(state: State): Value;
}

export interface Column<Row> extends ObjectType {
  /** Undefined where there is none in this row. */
  value(row: Row): Value | undefined;
}

export interface Table<State, Row> {
  /** Of the table without `Table`. */
  readonly name: string;
  readonly description: string;
  /** Parts of the index that are its own, which cannot be read, and names of those that are another table's. */
  readonly index: readonly (ObjectType | string)[];
  /** The last part of the index is a text without its length (RFC 2578 §7.7). */
  readonly implied?: boolean;
  readonly columns: readonly Column<Row>[];
  rows(state: State): Iterable<{ readonly index: Oid; readonly row: Row }>;
}

// biome-ignore lint/suspicious/noExplicitAny: each table has rows of its own kind, which only it looks at.
export type AnyTable<State> = Table<State, any>;

/** What is told without being asked for; the objects tell what of. */
export interface Notification {
  readonly name: string;
  readonly description: string;
  readonly objects: readonly string[];
}

/** Where the module lies in the arc of a site. */
export const MODULE = 1;

/** A MIB module. Under it lie 0 for notifications, and 1 for objects: 1.1 has the scalars, 1.2 the first table. */
export interface MibModule<State> {
  readonly name: string;
  readonly description: string;
  readonly updated: string;
  readonly scalars: readonly Scalar<State>[];
  readonly tables: readonly AnyTable<State>[];
  readonly notifications: readonly Notification[];
}

/** The parts of a table's index that are its own columns come first. */
export const ownIndex = <State>(table: AnyTable<State>): readonly ObjectType[] =>
  table.index.filter((part) => typeof part !== 'string');
