import { acceptedForm, CONTENT_TYPE, prometheusText } from '@parley/metrics/prometheus';
import type { Snapshot } from '@parley/metrics/snapshot';
import type { HttpServer } from '../net/http.ts';

export interface HealthOptions {
  /** Why the node should get no new connections, in words; empty when it is ready. */
  notReady(): readonly string[];
  /** All metrics now. */
  snapshot(): Snapshot;
}

/** `/health/live`, `/health/ready` and `/metrics`. */
export function registerHealth({ routes }: HttpServer, { notReady, snapshot }: HealthOptions): void {
  // Whoever asks gets an answer from the event loop: nothing else is looked at, least of all the keyspace. A node
  // that is restarted because its Redis is away helps nobody.
  routes.get('/health/live', { config: { permission: 'public' } }, () => ({ status: 'live' }));

  routes.get('/health/ready', { config: { permission: 'public' } }, (_request, reply) => {
    const reasons = notReady();
    if (reasons.length === 0) return { status: 'ready' };
    return reply.code(503).send({ status: 'not-ready', reasons });
  });

  routes.get('/metrics', { config: { permission: 'metrics' } }, (request, reply) => {
    const form = acceptedForm(request.headers.accept);
    return reply.type(CONTENT_TYPE[form]).send(prometheusText(snapshot(), form));
  });
}
