import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../config/schema.ts';
import type { Admission } from './admission.ts';
import { legacySession, type OnBind, resourceBinding } from './bind.ts';
import type { StreamFeatures } from './features.ts';
import type { Logins } from './logins.ts';
import { peerError } from './peer-error.ts';
import { Sasl } from './sasl.ts';
import { startTls } from './starttls.ts';

export interface ClientFeaturesOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly logins: Logins;
  readonly admission: Admission;
}

/** What every client's stream offers before it has authenticated. */
export function addSecurity(features: StreamFeatures, options: ClientFeaturesOptions): void {
  const { config, metrics, logins, admission } = options;
  features.add(peerError((condition) => metrics.streamErrors.with({ condition, direction: 'in' }).add(1)));
  features.add(startTls(() => config().tls.required));
  const sasl = new Sasl(logins, admission, config);
  features.add(sasl);
  features.add(sasl.channelBinding);
}

/** And afterwards, behind what modules offer. */
export function addBinding(features: StreamFeatures, onBind: OnBind): void {
  features.add(resourceBinding(onBind));
  features.add(legacySession());
}
