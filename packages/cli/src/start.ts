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
      const config = readConfiguration(this);
      await using server = await Server.start({ config, readConfiguration: () => readConfiguration(this) });
      process.on('uncaughtExceptionMonitor', (error) => {
        server.log.fatal('node.died', { error }); // and the process ends, since nobody knows in which state it is
        server.log.flush();
      });
      process.on('SIGHUP', () => {
        server.reload().catch((error) => server.log.error('configuration.refused', { error }));
      });
      process.stderr.write(welcome(server, config, configurationFile(this)));
      const signal = await stopSignal();
      server.log.info('node.stopping', { signal });
    });
}

function stopSignal(): Promise<string> {
  return new Promise((done) => {
    process.once('SIGTERM', done);
    process.once('SIGINT', done);
  });
}
