// The library (as of version 0.14) begins to wait for an answer only once the socket says that what it answers was written. An
// answer that comes sooner is missed, and taken for one that never came.

/** Has the writes of a client of @xmpp/client count as done at once. A write that fails ends the connection, which says so. */
export function withPromptWrites(xmpp) {
  const write = xmpp.write.bind(xmpp);
  xmpp.write = (text) => {
    if (xmpp.status === 'closing') return Promise.reject(new Error('Connection is closing'));
    write(text).catch(() => {});
    return Promise.resolve();
  };
  return xmpp;
}
