import { Directories } from './auth/ldap/directories.ts';
import { profilesOf } from './auth/ldap/profiles/profiles-of-directories.ts';
import { Profiles } from './auth/profiles.ts';
import type { ModuleConfiguration } from './config/schema.ts';
import type { ModuleContext } from './module.ts';

/** What is the same for all modules. */
export type SharedContext = Omit<ModuleContext, 'options' | 'provide' | 'use'>;

/** What an essential module is given for its part of the configuration. */
const ALWAYS_ON: ModuleConfiguration = { enabled: true };

/**
 * Sets the modules up, one after the other, those that are switched off left out. `offers` holds what they may use
 * from the beginning, by its class.
 */
export async function setUpModules(shared: SharedContext, offers: Map<unknown, object>): Promise<void> {
  const { disclosure, config } = shared;
  const directories = offers.get(Directories) as Directories | undefined;
  offers.set(Profiles, directories === undefined ? new Profiles() : profilesOf(directories, shared.log));
  for (const module of shared.modules) {
    const options = () => config().modules[module.name] ?? ALWAYS_ON;
    if (!options().enabled) continue;
    for (const feature of module.features ?? []) disclosure.domainFeatures.add(feature);
    for (const feature of module.accountFeatures ?? []) disclosure.accountFeatures.add(feature);
    disclosure.domainIdentities.push(...(module.identities ?? []));
    await module.setup({
      ...shared,
      options,
      provide: (token, instance) => offers.set(token, instance),
      use: <T extends object>(token: abstract new (...args: never[]) => T): T => {
        const instance = offers.get(token);
        if (instance !== undefined) return instance as T;
        throw new Error(`Module ${module.name} needs ${token.name}, which no module before it offers.`);
      },
    });
  }
}
