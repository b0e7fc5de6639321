import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IdentityProviderConfiguration } from '../../config/identity-provider.ts';
import { ConfigurationError, type Problem } from '../../config/problem.ts';
import type { Configuration } from '../../config/schema.ts';

/** An identity provider as the configuration has it, with what stands in the file that it names. */
export interface ProviderSettings extends IdentityProviderConfiguration {
  /** PEM; undefined for those whom the machine trusts. */
  readonly authorityCertificates: string | undefined;
}

/** Throws a ConfigurationError with all that is wrong. */
export function providerSettings({ identityProviders }: Configuration): ProviderSettings[] {
  const problems: Problem[] = [];
  const settings = identityProviders.map((each) => ({
    ...structuredClone(each),
    authorityCertificates: authoritiesOf(each, (problem, cure) =>
      problems.push({ path: `identityProviders[${each.name}].authorities`, problem, cure }),
    ),
  }));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return settings;
}

function authoritiesOf(
  { authorities }: IdentityProviderConfiguration,
  report: (problem: string, cure: string) => void,
): string | undefined {
  if (authorities === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(authorities, 'utf8');
  } catch (error) {
    report(
      `names ${authorities}, which cannot be read (${(error as NodeJS.ErrnoException).code})`,
      'name a file that can',
    );
    return undefined;
  }
  try {
    new X509Certificate(text);
  } catch {
    report(`names ${authorities}, which holds no certificate`, 'name a PEM file');
  }
  return text;
}
