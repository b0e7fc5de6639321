import { Command } from 'commander';

/** `parley check`: validates the configuration without starting anything. */
export function checkCommand(): Command {
  return new Command('check')
    .description('Check the configuration and the files that it names, without starting anything.')
    .action(async function (this: Command) {
      // all modules: not for a mere --help
      const { checkCertificates } = await import('@parley/server/certificates');
      const { checkKerberos } = await import('@parley/server/auth/kerberos/examination');
      const { directorySettings } = await import('@parley/server/auth/ldap/directory-settings');
      const { providerSettings } = await import('@parley/server/auth/oauth/provider-settings');
      const { configurationFile, readConfiguration } = await import('./configuration.ts');
      const config = readConfiguration(this);
      checkCertificates(config);
      directorySettings(config);
      await checkKerberos(config);
      providerSettings(config);
      const file = configurationFile(this);
      process.stdout.write(file === undefined ? 'There is no file: the defaults are used.\n' : `${file} is good.\n`);
    });
}
