/** The process that has the GSS-API loaded, beside the node: started by acceptor.ts, and asked by messages. */
import type { Request, Response } from './acceptor.ts';
import { Gssapi, GssError } from './gssapi.ts';

/** A login that goes no further is not told of: what was begun longest ago makes room. */
const MOST_CONTEXTS = 5000;
const NOTHING = 0n;

interface Context {
  readonly credential: bigint;
  handle: bigint;
}

const contexts = new Map<number, Context>();
let library: Gssapi | undefined;

/** Faults of this machine, as opposed to what the other side is to blame for. */
class Unusable extends Error {}

function usable<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Unusable(error instanceof Error ? error.message : String(error));
  }
}

const loaded = () => {
  library ??= usable(() => new Gssapi(process.argv[2] ?? ''));
  return library;
};

function begun(id: number): Context {
  const known = contexts.get(id);
  if (known !== undefined) return known;
  for (const oldest of contexts.keys()) {
    if (contexts.size < MOST_CONTEXTS) break;
    end(oldest);
  }
  const context = { credential: usable(() => loaded().acquire()), handle: NOTHING };
  contexts.set(id, context);
  return context;
}

function end(id: number): void {
  const context = contexts.get(id);
  if (context === undefined) return;
  contexts.delete(id);
  if (context.handle !== NOTHING) loaded().delete(context.handle);
  loaded().releaseCredential(context.credential);
}

function established(id: number): bigint {
  const handle = contexts.get(id)?.handle ?? NOTHING;
  if (handle === NOTHING) throw new GssError('There is no such context any more.');
  return handle;
}

function answer({ context: id, call, data = new Uint8Array() }: Request): Omit<Response, 'request'> {
  switch (call) {
    case 'examine':
      loaded().releaseCredential(usable(() => loaded().acquire()));
      return {};
    case 'accept': {
      const context = begun(id);
      const { token, peers } = loaded().accept(context.credential, context.handle, data, (handle) => {
        context.handle = handle;
      });
      return { data: token, peers };
    }
    case 'wrap':
      return { data: loaded().wrap(established(id), data) };
    case 'unwrap':
      return { data: loaded().unwrap(established(id), data) };
    case 'end':
      end(id);
      return {};
  }
}

process.on('message', (message: Request) => {
  const { request } = message;
  let response: Response;
  try {
    response = { request, ...answer(message) };
  } catch (error) {
    if (!(error instanceof GssError) && !(error instanceof Unusable)) throw error;
    response = { request, [error instanceof GssError ? 'refused' : 'unusable']: error.message };
  }
  process.send?.(response);
});
// It goes with the node, and not before: a signal to the group of processes is for the node to deal with.
process.on('disconnect', () => process.exit());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
