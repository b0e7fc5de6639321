/** What went between this node and the others since it started. */
export class ChannelCounts {
  framesIn = 0;
  framesOut = 0;
  itemsIn = 0;
  itemsOut = 0;
  /** Items that went out once more. */
  resent = 0;
  /** Frames and items that could not be read. */
  damaged = 0;
}
