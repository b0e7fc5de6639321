import { Command } from 'commander';

/** `parley check`: validates the configuration without starting anything. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Check the configuration and its certificates, without starting anything.')
    .action(async function (this: Command) {
      // all modules: not for a mere --help
      const { checkCertificates } = await import('@parley/server/certificates');
      const { configurationFile, readConfiguration } = await import('./configuration.ts');
      checkCertificates(readConfiguration(this));
      const file = configurationFile(this);
      process.stdout.write(file === undefined ? 'There is no file: the defaults are used.\n' : `${file} is good.\n`);
    });
}
