import type { Oid } from '../protocol/oid.ts';
import type { Cell } from '../protocol/view.ts';
import { type MibModule, MODULE, ownIndex } from './definition.ts';

/** All values of a module, at a state; `arc` is the site's. */
export function* cellsOf<State>(
  { scalars, tables }: MibModule<State>,
  arc: Oid,
  state: State,
): Generator<Cell, void, undefined> {
  const base = [...arc, MODULE];
  for (const [position, scalar] of scalars.entries()) {
    yield { oid: [...base, 1, 1, position + 1, 0], value: scalar.value(state) };
  }
  for (const [position, table] of tables.entries()) {
    const entry = [...base, 1, position + 2, 1];
    const first = ownIndex(table).length + 1;
    for (const { index, row } of table.rows(state)) {
      for (const [place, column] of table.columns.entries()) {
        const value = column.value(row);
        if (value !== undefined) yield { oid: [...entry, first + place, ...index], value };
      }
    }
  }
}

/** Where an object of a module lies, without its instance. Throws a RangeError where there is none of this name. */
export function objectOid<State>({ scalars, tables }: MibModule<State>, arc: Oid, name: string): Oid {
  const base = [...arc, MODULE];
  const scalar = scalars.findIndex((each) => each.name === name);
  if (scalar >= 0) return [...base, 1, 1, scalar + 1];
  for (const [position, table] of tables.entries()) {
    const column = table.columns.findIndex((each) => each.name === name);
    if (column >= 0) return [...base, 1, position + 2, 1, ownIndex(table).length + 1 + column];
  }
  throw new RangeError(`The MIB module has no object ${name}.`);
}
