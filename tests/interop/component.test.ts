import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startEchoComponent } from '../services/echo-component.ts';
import { appearOver } from '../support/network.ts';
import { Installation } from '../support/process.ts';
import { startThreeNodes } from '../support/three-nodes.ts';

const DOMAIN = 'echo.localhost';
const SECRET = 'known to the component';
const config = {
  listen: {
    c2s: [{ host: '127.0.0.1', port: 0 }],
    c2sTls: [],
    http: [],
    components: [{ host: '127.0.0.1', port: 0 }],
  },
  components: [{ domain: DOMAIN, secret: SECRET }],
};

const component = (port: number, name: string, secret = SECRET) => ({ port, domain: DOMAIN, secret, name });

it('takes in a component written with @xmpp/component', async () => {
  const installation = new Installation(config);
  await installation.account('romeo@localhost');
  const node = await installation.start();
  const port = node.port('components');
  await startEchoComponent(component(port, 'liar', 'something else'), /not-authorized/);
  const echo = await startEchoComponent(component(port, 'echo'));

  const romeo = await appearOver(node.port('c2s'), 'romeo@localhost/orchard');
  romeo.send(`<message to='nymph@${DOMAIN}' type='chat'><body>Who &lt;is&gt; there?</body></message>`);
  expect((await romeo.nextMessage()).childText('body')).toBe('echo: Who <is> there?');
  const version = await romeo.request('get', `<query xmlns='${NS.version}'/>`, DOMAIN);
  expect(version.firstChild?.childText('name')).toBe('echo');
  romeo.send(`<presence to='nymph@${DOMAIN}' type='subscribe'/>`);
  expect((await romeo.nextPresence(`nymph@${DOMAIN}/echo`)).childText('status')).toBe('Here');

  const disconnected = node.nextEvent('component.disconnected');
  echo.kill();
  await disconnected;
  romeo.send(`<message to='nymph@${DOMAIN}' type='chat' id='late'><body>Gone?</body></message>`);
  const error = (await romeo.take((each) => each.attr('id') === 'late')).child('error');
  expect([error?.firstChild?.name, error?.attr('type')]).toEqual(['service-unavailable', 'wait']);
  expect(await node.stop()).toBe(0);
});

it('goes on with the instance of another node when one of the nodes dies', async () => {
  const nodes = await startThreeNodes(['romeo@localhost', 'juliet@localhost'], {
    components: config.components,
    cluster: {
      secret: 'a secret that only the tests know of',
      heartbeatMilliseconds: 100,
      absentMilliseconds: 500,
    },
  });
  const ports = nodes.map(({ node }) => node.port('components'));
  await startEchoComponent(component(ports[0] as number, 'one'));
  await startEchoComponent(component(ports[1] as number, 'two'));
  const third = nodes[2]?.port as number;
  const users = [];
  for (const name of ['romeo', 'juliet']) users.push(await appearOver(third, `${name}@localhost/orchard`));
  const heard = new Set<string>();
  for (const user of users) {
    user.send(`<message to='nymph@${DOMAIN}' type='chat'><body>1</body></message>`);
    heard.add((await user.nextMessage()).childText('body') as string);
  }
  for (const text of heard) expect(['one: 1', 'two: 1']).toContain(text);

  const gone = nodes[2]?.node.nextEvent('cluster.gone');
  nodes[0]?.node.child.kill('SIGKILL');
  // what is said before anybody knows waits for that, and goes to the other one
  for (const user of users) user.send(`<message to='nymph@${DOMAIN}' type='chat'><body>2</body></message>`);
  for (const user of users) expect((await user.nextMessage()).childText('body')).toBe('two: 2');
  await gone;
});
