import type { Device } from './device.ts';
import type { Node } from './node.ts';
import type { OwnedSession } from './owned-session.ts';
import type { Downward, Upward } from './stanza.ts';

/** The stream between a client and a node. Either side may be gone without the other's knowing. */
export class Connection {
  readonly device: Device;
  readonly node: Node;
  session: OwnedSession | undefined;
  /** Written by the client and not read by the node yet; it can still be read after the client has gone. */
  readonly up: Upward[] = [];
  down: Downward[] = [];
  clientOpen = true;
  nodeOpen = true;

  constructor(device: Device, node: Node) {
    this.device = device;
    this.node = node;
  }
}
