/** One SRV record, and by which of the two services it was found (XEP-0368). */
export interface Service {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
  readonly tls: 'direct' | 'starttls';
}

/**
 * The order in which the records of both services are tried, as if they were those of one (XEP-0368 §3): by priority, and
 * within one by chance, as the weights say (RFC 2782). `random` is from 0 to less than 1.
 */
export function inOrder<S extends Service>(records: readonly S[], random: () => number = Math.random): S[] {
  const ordered: S[] = [];
  for (const priority of [...new Set(records.map((each) => each.priority))].sort((a, b) => a - b)) {
    // those without weight stand first, so that they have a very small chance (RFC 2782)
    const left = records.filter((each) => each.priority === priority).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, each) => sum + each.weight, 0);
      const drawn = Math.floor(random() * (total + 1));
      let sum = 0;
      const index = left.findIndex((each) => {
        sum += each.weight;
        return sum >= drawn;
      });
      ordered.push(...left.splice(Math.max(0, index), 1));
    }
  }
  return ordered;
}
