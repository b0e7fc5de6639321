import type { Configuration } from '@parley/server/config/schema';
import type { UserSettings } from '@parley/snmp-agent/protocol/access';
import { type Oid, parseOid } from '@parley/snmp-agent/protocol/oid';
import type { SidecarSettings } from '@parley/snmp-agent/sidecar';
import { Usage } from './exit.ts';

const EVERYTHING: Oid = [1];

/** What the agent needs of the configuration. Throws a Usage error where nobody could ask it anything. */
export function snmpSettings({ snmp, domains }: Configuration, software: string): SidecarSettings {
  if (snmp.agentx === '' && snmp.metrics.length === 0 && snmp.users.length === 0 && snmp.communities.length === 0) {
    throw new Usage(
      'Nobody may ask the SNMP agent: there is no default community, since everybody would know it. ' +
        'Name somebody under `snmp.users`, as docs/monitoring.md shows.',
    );
  }
  const users = snmp.users.map((user): UserSettings => {
    if (user.password === undefined || user.privacyPassword === undefined) {
      throw new Usage(
        `The SNMP user ${user.name} needs both \`password\` and \`privacyPassword\`, of 8 characters or more.`,
      );
    }
    return {
      name: user.name,
      authentication: { protocol: user.authentication, password: user.password },
      privacy: { protocol: user.privacy, password: user.privacyPassword },
      subtrees: subtrees(user.view),
    };
  });
  const name = snmp.name || (domains[0]?.name ?? '');
  return {
    master: snmp.agentx,
    pages: snmp.metrics,
    address: snmp.host,
    port: snmp.port,
    arc: parseOid(snmp.baseOid),
    users,
    communities: snmp.communities.map(({ community, sources, view }) => {
      if (community === undefined) throw new Usage('An entry of `snmp.communities` needs `community`.');
      return { community, sources, subtrees: subtrees(view) };
    }),
    perSecond: snmp.requestsPerSecond,
    targets: snmp.targets.map(({ host, port, user, community, inform }) => ({
      host,
      port,
      inform,
      as: users.find((each) => each.name === user) ?? community ?? '',
    })),
    service: { directoryName: snmp.directoryName, description: snmp.description, url: snmp.url },
    system: {
      description: `Parley ${software}: ${snmp.description}`,
      name,
      contact: snmp.contact,
      location: snmp.location,
    },
    tracker: {
      name,
      downAfterMs: snmp.downSeconds * 1000,
      restartMs: snmp.restartSeconds * 1000,
      forgetMs: snmp.forgetSeconds * 1000,
    },
    thresholds: snmp,
  };
}

const subtrees = (view: readonly string[] | undefined): readonly Oid[] => view?.map(parseOid) ?? [EVERYTHING];
