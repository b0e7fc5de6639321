import { expect, test } from 'vitest';
import { features } from '../support/login.ts';
import { startServer } from '../support/server.ts';
import { conditionAfter, flood } from './attacker.ts';
import { ATTACKS_AT_FIRST, ATTACKS_BEFORE_AUTHENTICATION, ATTACKS_IN_SESSION, type Attack, FLOODS } from './attacks.ts';
import { undisturbed } from './canaries.ts';

test.each<Attack>(ATTACKS_AT_FIRST)('at first: $name', async (attack) => {
  const server = await startServer();
  expect(await undisturbed(server, () => conditionAfter(server.connect(), attack))).toBe(attack.condition);
});

test.each<Attack>(ATTACKS_BEFORE_AUTHENTICATION)('before authentication: $name', async (attack) => {
  const server = await startServer();
  const condition = await undisturbed(server, async () => {
    const client = server.connect();
    client.open('localhost');
    await features(client);
    return conditionAfter(client, attack);
  });
  expect(condition).toBe(attack.condition);
});

test.each<Attack>(ATTACKS_IN_SESSION)('in a session: $name', async (attack) => {
  const server = await startServer();
  const condition = await undisturbed(server, async () =>
    conditionAfter(await server.client('mercutio@localhost/street'), attack),
  );
  expect(condition).toBe(attack.condition);
});

test.each(FLOODS)('a flood of %s goes no faster than the rate allows', async (stanza) => {
  const server = await startServer();
  const { perSecond, burst } = server.node.config.limits.stanzas;
  const count = () =>
    (['message', 'presence', 'iq'] as const).reduce(
      (sum, kind) => sum + server.node.registry.metrics.stanzas.with({ kind, direction: 'in' }).value,
      0,
    );
  await undisturbed(server, async () => {
    const client = await server.client('mercutio@localhost/street');
    const before = count();
    const began = performance.now();
    await flood(client, Buffer.alloc(200_000, stanza));
    const seconds = (performance.now() - began) / 1000;
    const ofCanaries = 1 + seconds * 500;
    expect(count() - before).toBeLessThanOrEqual(burst + 1 + perSecond * seconds + ofCanaries);
    expect(count() - before).toBeGreaterThanOrEqual(burst);
    client.break();
  });
});
