import { Command } from 'commander';
import { configurationFile, readConfiguration } from './configuration.ts';

/** `parley check`: validates the configuration without starting anything. */
export function checkCommand(): Command {
  return new Command('check').description('Check the configuration, without starting anything.').action(function (
    this: Command,
  ) {
    readConfiguration(this);
    const file = configurationFile(this);
    process.stdout.write(file === undefined ? 'There is no file: the defaults are used.\n' : `${file} is good.\n`);
  });
}
