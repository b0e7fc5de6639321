import { NS } from '@parley/xmpp/namespaces';
import { conditionOf, plain } from '../support/login.ts';
import { type Limit, type LimitTable, type Scene, stanzaError, streamError } from './limit.ts';

const noDelay = { delaySeconds: 0 };
const register = (name: string) =>
  `<query xmlns='${NS.register}'><username>${name}</username><password>pencil</password></query>`;

/** Guesses a password on a stream of its own, so many times. */
async function guess(scene: Scene, times: number, account = 'juliet'): Promise<string[]> {
  const conditions: string[] = [];
  for (let time = 0; time < times; time++) {
    const client = await scene.stranger();
    conditions.push(conditionOf(await plain(client, account, `guess ${time}`)));
    client.break();
  }
  return conditions;
}

export const loginLimits: LimitTable = {
  // one turn and one place in the queue; whoever finds none is told nothing of a wrong password
  'logins-rate': {
    config: { limits: { logins: { ...noDelay, perSecond: 1, maxWaitSeconds: 1 } } },
    async exceed(scene) {
      const [first, second, third] = [await scene.stranger(), await scene.stranger(), await scene.stranger()];
      const one = plain(first, 'juliet', 'secret'); // all in one moment: later there would be a turn again
      const two = plain(second, 'juliet', 'secret');
      const three = plain(third, 'juliet', 'secret').catch(() => undefined);
      const refused = await streamError(third);
      await three;
      return [conditionOf(await one), refused, conditionOf(await two)];
    },
    sees: ['success', 'resource-constraint', 'success'],
  },

  'login-failures-per-stream': {
    config: { limits: { logins: { ...noDelay, failuresPerStream: 2 } } },
    async exceed(scene) {
      const client = await scene.stranger();
      const first = conditionOf(await plain(client, 'juliet', 'guess 1'));
      const second = conditionOf(await plain(client, 'juliet', 'guess 2'));
      return [first, second, await streamError(client)];
    },
    sees: ['not-authorized', 'not-authorized', 'policy-violation'],
  },

  // known and unknown accounts are told the same, and the owner comes in from elsewhere
  'login-failures-per-address': {
    config: { limits: { logins: { ...noDelay, failuresPerAddress: 2 } } },
    async exceed(scene) {
      const failed = [...(await guess(scene, 2)), ...(await guess(scene, 1)), ...(await guess(scene, 1, 'nobody'))];
      return [failed, await comesIn(scene)];
    },
    sees: [['not-authorized', 'not-authorized', 'temporary-auth-failure', 'temporary-auth-failure'], 'success'],
  },
  'login-failures-per-account-and-address': {
    config: { limits: { logins: { ...noDelay, failuresPerAccountAndAddress: 2 } } },
    async exceed(scene) {
      const failed = [...(await guess(scene, 3)), ...(await guess(scene, 1, 'romeo'))];
      return [failed, await comesIn(scene)];
    },
    sees: [['not-authorized', 'not-authorized', 'temporary-auth-failure', 'not-authorized'], 'success'],
  },

  'registrations-per-address': {
    config: { registration: { inBand: true }, limits: { registration: { attemptsPerHour: 2 } } },
    async exceed(scene) {
      const said: string[] = [];
      for (const name of ['a', 'b', 'c']) {
        const client = await scene.stranger();
        said.push(stanzaError(await client.request('set', register(name))));
      }
      return said;
    },
    sees: ['', '', 'resource-constraint'],
  },
  'password-changes': {
    config: { limits: { registration: { passwordChangesPerHour: 2 } } },
    async exceed(scene) {
      const client = await scene.user();
      const said: string[] = [];
      for (let time = 0; time < 3; time++) {
        said.push(stanzaError(await client.request('set', register('tybalt'), 'localhost')));
      }
      return said;
    },
    sees: ['', '', 'resource-constraint'],
  },

  'sessions-per-account': {
    config: { limits: { sessions: { perAccount: 2 } } },
    async exceed(scene) {
      const first = await scene.user('tybalt@localhost/1');
      await scene.user('tybalt@localhost/2');
      const client = await scene.stranger();
      await plain(client, 'tybalt', 'secret');
      const answer = await client.request('set', `<bind xmlns='${NS.bind}'/>`);
      return [stanzaError(answer), await first.sync()]; // the first is still there
    },
    sees: ['resource-constraint resource-limit-exceeded', []],
  },
} satisfies Record<string, Limit>;

/** Juliet logs in with the right password, from an address of her own. */
async function comesIn(scene: Scene): Promise<string> {
  const client = scene.server.connect();
  client.open('localhost');
  return conditionOf(await plain(client, 'juliet', 'secret'));
}
