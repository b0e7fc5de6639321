import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from '@parley/server/main';
import { Command } from 'commander';
import { Restarts } from './restarts.ts';
import { stopSignal } from './stop-signal.ts';

/** Between attempts to start anew. */
const PAUSE_MS = 1000;

/** `parley start`: a node in the foreground, until it is told to stop. */
export function startCommand(): Command {
  return new Command('start')
    .description(
      'Start a node in the foreground. SIGTERM or Ctrl-C stops it, SIGHUP has it read its configuration again.',
    )
    .action(async function (this: Command) {
      // the whole server: not for a mere --help
      const { Server } = await import('@parley/server/main');
      const { Log } = await import('@parley/server/log');
      const { openAudit } = await import('@parley/server/audit/open-audit');
      const { configurationFile, readConfiguration } = await import('./configuration.ts');
      const { welcome } = await import('./welcome.ts');
      let config = readConfiguration(this);
      await using parts = new AsyncDisposableStack();
      const audit = openAudit(config);
      const log = Log.create({ level: config.log.level, pretty: config.log.pretty, audit });
      audit?.reportTo(log);
      parts.defer(() => log.flush());
      parts.defer(() => audit?.close());
      process.on('uncaughtExceptionMonitor', (error) => {
        log.fatal('node.died', { error }); // and the process ends, since nobody knows in which state it is
        log.flush();
        audit?.flush();
      });
      let running: Server | undefined;
      let timesFenced = 0;
      process.on('SIGHUP', () => {
        audit?.reopen(); // the file may have been moved away
        running?.reload().catch(() => {}); // the log tells
      });
      const signal = stopSignal();
      const restarts = new Restarts();
      for (;;) {
        const fenced = Promise.withResolvers<undefined>();
        const onFenced = () => {
          timesFenced++;
          fenced.resolve(undefined);
        };
        const options = { config, log, audit, readConfiguration: () => readConfiguration(this), onFenced, timesFenced };
        const first = running === undefined;
        await using server = await Server.start(options).catch((error) => {
          if (first) throw error;
          log.error('node.rejoin-failed', { error });
          return undefined;
        });
        if (server === undefined) {
          await pause(PAUSE_MS);
        } else {
          running = server;
          if (first) process.stderr.write(welcome(server, config, configurationFile(this)));
          else log.warn('node.rejoined', { message: 'The node has started anew, and is one of the cluster again.' });
          const end = await Promise.race([signal, fenced.promise]);
          if (end !== undefined) {
            log.info('node.stopping', { signal: end });
            return;
          }
          config = server.node.config; // as it was reloaded meanwhile
        }
        restarts.count();
      }
    });
}
