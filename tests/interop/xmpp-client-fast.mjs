// An @xmpp/client client logs in by SASL2, gets a token, and comes back by it in one round trip: to its session while that
// is there, to a new one after that.
//
//     NODE_EXTRA_CA_CERTS=CERTIFICATE node xmpp-client-fast.mjs PORT
//
// Account juliet@localhost with the password "secret". Prints what the client said and got at each login; exits with 0 only
// where all came.
import { client, xml } from '@xmpp/client';
import { withPromptWrites } from './prompt-writes.mjs';

const [port] = process.argv.slice(2);
const PATIENCE = 60_000;
const userAgent = xml('user-agent', { id: 'd4565fa7-4d72-4749-b3d3-740edbf87770' }, xml('software', {}, 'xmpp.js'));

let token;

function connect(credentials) {
  const xmpp = withPromptWrites(
    client({
      service: `xmpp://localhost:${port}`,
      domain: 'localhost',
      resource: 'xmppjs',
      ...credentials,
      userAgent,
      timeout: PATIENCE,
    }),
  );
  xmpp.reconnect.delay = 10;
  xmpp.fast.saveToken = async (saved) => {
    token = saved;
  };
  xmpp.fast.fetchToken = async () => token;
  xmpp.fast.deleteToken = async () => {
    if (token !== undefined) fail('the token was not taken');
  };
  xmpp.on('error', () => {}); // a connection that is lost
  return xmpp;
}

/** What stands in the next login: the mechanism, and what came with the success. */
function nextLogin(xmpp) {
  return new Promise((resolve) => {
    let mechanism;
    const onSend = (element) => {
      if (element.is('authenticate', 'urn:xmpp:sasl:2')) ({ mechanism } = element.attrs);
    };
    const onElement = (element) => {
      if (!element.is('success', 'urn:xmpp:sasl:2')) return;
      xmpp.off('send', onSend);
      xmpp.off('element', onElement);
      const came = ['bound', 'resumed'].filter((name) => element.children.some((child) => child.name === name));
      resolve([mechanism, ...came, ...(element.getChild('token') ? ['token'] : [])].join(' '));
    };
    xmpp.on('send', onSend);
    xmpp.on('element', onElement);
  });
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

setTimeout(() => fail('it takes too long'), PATIENCE).unref();

const first = connect({ username: 'juliet', password: 'secret' });
let login = nextLogin(first);
const { resource } = await first.start();
console.log(await login);
if (!resource.startsWith('xmppjs/')) fail(`another resource: ${resource}`);
if (!token) fail('no token');

// the connection is lost: the client comes back by itself
login = nextLogin(first);
const resumed = new Promise((resolve) => first.streamManagement.once('resumed', resolve));
first.socket.socket.destroy();
console.log(await login);
await resumed;
await first.iqCaller.request(xml('iq', { type: 'get', to: 'localhost' }, xml('ping', 'urn:xmpp:ping')));
await first.stop();

// another run of the same client, which knows no password
const second = connect({ credentials: { username: 'juliet', token } });
login = nextLogin(second);
const again = await second.start();
console.log(await login);
if (again.resource !== resource) fail(`another resource: ${again.resource}`);
await second.stop();
console.log('done');
