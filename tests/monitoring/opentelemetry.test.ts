import { expect, it, vi } from 'vitest';
import { OtlpCollector } from '../services/otlp-collector.ts';
import { appearOver } from '../support/network.ts';
import { Installation } from '../support/process.ts';

vi.setConfig({ testTimeout: 60_000 });
it('probe', async () => {
  const collector = await OtlpCollector.start();
  const installation = new Installation({
    opentelemetry: { endpoint: collector.endpoint, metrics: { intervalSeconds: 1 }, traces: { ratio: 1 } },
  });
  await installation.accounts('romeo@localhost', 'juliet@localhost');
  const node = await installation.start();
  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  const juliet = await appearOver(node.port('c2s'), 'juliet@localhost/balcony');
  romeo.send(`<message to='juliet@localhost/balcony'><body>hello</body></message>`);
  await juliet.nextMessage();
  const m = await collector.find(() => [...collector.metrics.values()][0]);
  console.log(JSON.stringify(m).slice(0, 3000));
  await node.stop();
  for (const s of collector.spans)
    console.log(
      s.traceId.slice(0, 4),
      s.spanId.slice(0, 4),
      s.parentSpanId.slice(0, 4),
      s.name,
      s.kind,
      Number(s.end - s.start) / 1000,
      JSON.stringify(s.attributes),
    );
  console.log(node.log);
});
