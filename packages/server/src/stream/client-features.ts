import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../config/schema.ts';
import type { Admission } from './admission.ts';
import { legacySession, type OnBind, resourceBinding } from './bind.ts';
import type { StreamFeatures } from './features.ts';
import type { Logins } from './logins.ts';
import { peerError } from './peer-error.ts';
import { Sasl, saslChannelBinding } from './sasl.ts';
import { SaslAttempts } from './sasl-attempts.ts';
import { startTls } from './starttls.ts';
import type { GrantTokens } from './stream-access.ts';

export interface ClientFeaturesOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly logins: Logins;
  readonly admission: Admission;
  /** The tokens of an identity provider by which people of a domain log in. */
  readonly bearer: (domain: string) => GrantTokens | undefined;
  /** What modules may use, by its class. */
  readonly offers: Map<unknown, object>;
}

/** What every client's stream offers before it has authenticated. */
export function addSecurity(features: StreamFeatures, options: ClientFeaturesOptions): void {
  const { config, metrics, logins, admission, bearer, offers } = options;
  features.add(peerError((condition) => metrics.streamErrors.with({ condition, direction: 'in' }).add(1)));
  features.add(startTls(() => config().tls.required));
  const attempts = new SaslAttempts(logins, admission, config, bearer);
  features.add(new Sasl(attempts));
  features.add(saslChannelBinding(attempts));
  offers.set(SaslAttempts, attempts);
}

/** And afterwards, behind what modules offer. */
export function addBinding(features: StreamFeatures, onBind: OnBind): void {
  features.add(resourceBinding(onBind));
  features.add(legacySession());
}
