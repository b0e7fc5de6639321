import { expect, test } from 'vitest';
import { offersHash } from './downgrade-protection.ts';

// XEP-0474 §6.3
test('the example of the specification', () => {
  const offers = {
    offeredMechanisms: ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1'],
    channelBindingTypes: ['tls-server-end-point', 'tls-exporter'] as const,
  };
  expect(offersHash(offers, 'SHA-1')).toBe('G6k/rBLDqgOhRRaCuuatSDFkJ08=');
});

test('without channel binding there is no second list', () => {
  const offers = { offeredMechanisms: ['SCRAM-SHA-1'], channelBindingTypes: [] };
  expect(offersHash(offers, 'SHA-1')).toBe('LrtFoCs8XsoI+diY4u3rG69UGN8=');
});
