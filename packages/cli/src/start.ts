import type { Server } from '@parley/server/main';
import { Command } from 'commander';

/** `parley start`: a node in the foreground, until it is told to stop. */
export function startCommand(): Command {
  return new Command('start')
    .description(
      'Start a node in the foreground. SIGTERM or Ctrl-C stops it, SIGHUP has it read its configuration again.',
    )
    .action(async function (this: Command) {
      // the whole server: not for a mere --help
      const { Server } = await import('@parley/server/main');
      const { configurationFile, readConfiguration } = await import('./configuration.ts');
      const { welcome } = await import('./welcome.ts');
      let current: Server | undefined;
      process.on('uncaughtExceptionMonitor', (error) => {
        current?.log.fatal('node.died', { error }); // and the process ends, since nobody knows in which state it is
        current?.log.flush();
      });
      process.on('SIGHUP', () => {
        const server = current;
        server?.reload().catch((error) => server.log.error('configuration.refused', { error }));
      });
      for (let signal: string | undefined; signal === undefined; ) {
        // a node that others gave up comes back as another one
        const { promise: fenced, resolve: onFenced } = Promise.withResolvers<undefined>();
        const config = readConfiguration(this);
        await using server = await Server.start({
          config,
          readConfiguration: () => readConfiguration(this),
          onFenced: () => onFenced(undefined),
        });
        if (current === undefined) process.stderr.write(welcome(server, config, configurationFile(this)));
        current = server;
        const stopped = new AbortController();
        signal = await Promise.race([fenced, stopSignal(stopped.signal)]);
        stopped.abort();
        if (signal !== undefined) server.log.info('node.stopping', { signal });
      }
    });
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Where it is aborted, a signal does again what it does by itself. */
function stopSignal(aborted: AbortSignal): Promise<string> {
  return new Promise((done) => {
    for (const signal of SIGNALS) {
      process.once(signal, done);
      aborted.addEventListener('abort', () => process.off(signal, done), { once: true });
    }
  });
}
