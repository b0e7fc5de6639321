import { describe, expect, it } from 'vitest';
import { type Manifest, render, the } from './chart.ts';
import { LEAST } from './chart-values.ts';
import { renderUpgrade } from './kubernetes-api.ts';

const AUTOSCALING = { enabled: true, sessionsPerNode: 20_000, prometheusUrl: 'http://prometheus:9090' };

/** A Deployment as a cluster has it: how many nodes, and which of its fields are whose. */
function running(
  replicas: number,
  ...owners: readonly { manager: string; operation: string; spec: object }[]
): Manifest {
  const made = the(render(LEAST), 'Deployment');
  const managedFields = owners.map(({ manager, operation, spec }) => ({
    manager,
    operation,
    apiVersion: 'apps/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': spec },
  }));
  return {
    ...made,
    metadata: { ...made.metadata, managedFields },
    spec: { ...made.spec, replicas },
  };
}

const OF_HELM = { manager: 'helm', operation: 'Apply', spec: { 'f:replicas': {}, 'f:template': {} } };
const WITHOUT = { manager: 'helm', operation: 'Apply', spec: { 'f:template': {} } };
const OF_HELM_3 = { manager: 'helm', operation: 'Update', spec: { 'f:replicas': {}, 'f:template': {} } };
const OF_AUTOSCALER = { manager: 'kube-controller-manager', operation: 'Update', spec: { 'f:replicas': {} } };

const replicasAt = async (values: object, deployment: Manifest) =>
  the(await renderUpgrade({ ...LEAST, ...values }, deployment), 'Deployment').spec.replicas;

describe('where autoscaling decides how many nodes there are', () => {
  it('an installation says no number', () => {
    expect(the(render({ ...LEAST, autoscaling: AUTOSCALING }), 'Deployment').spec.replicas).toBeUndefined();
  });

  it.each([
    ['has had it from Helm until now, all stay', [OF_HELM], 5],
    ['has it from the autoscaler, it says none', [WITHOUT, OF_AUTOSCALER], undefined],
    ['was made by Helm 3, all stay', [OF_HELM_3, OF_AUTOSCALER], 5],
  ])('and the cluster %s', async (_, owners, expected) => {
    expect(await replicasAt({ autoscaling: AUTOSCALING }, running(5, ...owners))).toBe(expected);
  });
});

it('without autoscaling it is what the values say, whatever runs', async () => {
  expect(await replicasAt({ replicas: 4 }, running(9, OF_HELM))).toBe(4);
});
