import { Server } from '@parley/server/main';
import { Command } from 'commander';
import { configurationFile, readConfiguration } from './configuration.ts';
import { welcome } from './welcome.ts';

/** `parley start`: a node in the foreground, until it is told to stop. */
export function startCommand(): Command {
  return new Command('start')
    .description(
      'Start a node in the foreground. SIGTERM or Ctrl-C stops it, SIGHUP has it read its configuration again.',
    )
    .action(async function (this: Command) {
      const config = readConfiguration(this);
      await using server = await Server.start({ config, readConfiguration: () => readConfiguration(this) });
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
