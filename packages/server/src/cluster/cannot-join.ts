import { versionsText } from './frame-versions.ts';
import type { Member } from './member.ts';

/** Why one that lives keeps this node out, with what to do. */
export function cannotJoin(self: Member, other: Member): Error {
  const { secretCheck: ours } = self;
  if (ours !== undefined && other.secretCheck !== undefined && ours !== other.secretCheck) return otherSecret(other);
  return notUnderstood(self, other);
}

const otherSecret = ({ name }: Member): Error =>
  new Error(
    `This node cannot join the cluster: '${name}' runs with another cluster.secret. Give all nodes the same one. ` +
      'To change it, stop all nodes, change it on each, and start them.',
  );

function notUnderstood(self: Member, other: Member): Error {
  const theirs = `'${other.name}' (version ${other.version || 'unknown'}) reads ${versionsText(other.frames)}`;
  const ours = `this one (version ${self.version}) ${versionsText(self.frames)}`;
  return new Error(
    `This node cannot join the cluster: of the frames between nodes, ${theirs}, ${ours}. ` +
      'Upgrade by way of the versions in between, or stop that node first.',
  );
}
