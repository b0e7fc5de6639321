import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { PackedReader } from '../session/resumption/packed-reader.ts';

/** Reads what another member has packed. Throws a KeyspaceError `damaged` where the bytes can be nothing of the kind. */
export class AnnouncementReader extends PackedReader {
  constructor(bytes: Buffer) {
    super(bytes, 'An announcement');
  }

  // It came over the bus: it never was in the keyspace, as the reader that this one is made from would say.
  override damaged(why: string): KeyspaceError {
    return new KeyspaceError('damaged', `An announcement of another node cannot be read: ${why}.`);
  }
}
