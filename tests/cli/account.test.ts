import { describe, expect, it } from 'vitest';
import { conditionOf, plain } from '../support/login.ts';
import { encrypted, logIn } from '../support/network.ts';
import { Installation } from '../support/process.ts';
import { AGENT, plain2, show, tokenIn, wantToken } from '../support/sasl2.ts';

const JULIET = 'juliet@localhost';

/** What a command has said, to whom. */
async function account(installation: Installation, args: string[], input?: string) {
  const { code, stdout, stderr } = await installation.parley(['account', ...args], input);
  return [code, stdout.trim(), stderr.trim()];
}

async function logsIn(port: number, password: string): Promise<string> {
  const client = await encrypted(port);
  const end = conditionOf(await plain(client, 'juliet', password));
  client.break();
  return end;
}

describe.each(['a stopped store', 'a running node'])('on %s', (where) => {
  it('accounts are made, changed, listed and removed', async () => {
    const installation = new Installation({ limits: { logins: { delaySeconds: 0 } } });
    const node = where === 'a running node' ? await installation.start() : undefined;
    const act = (args: string[], input?: string) => account(installation, args, input);
    const check = async (password: string, outcome: string) =>
      node && expect(await logsIn(node.port('c2s'), password)).toBe(outcome);

    expect(await act(['list'])).toEqual([0, '', '']);
    expect(await act(['add', JULIET], 'secret\n')).toEqual([0, `${JULIET} can log in now.`, '']);
    expect(await act(['add', 'Juliet@LOCALHOST'], 'secret\n')).toEqual([1, '', `${JULIET} exists already.`]);
    await check('secret', 'success');
    expect(await act(['passwd', JULIET], 'pencil')).toEqual([0, `The password of ${JULIET} is changed.`, '']);
    await check('pencil', 'success');
    await check('secret', 'not-authorized');
    expect(await act(['disable', JULIET])).toEqual([0, `${JULIET} is disabled.`, '']);
    await check('pencil', 'account-disabled');
    expect(await act(['list', '--json'])).toEqual([0, `{"jid":"${JULIET}","enabled":false}`, '']);
    expect(await act(['list', 'localhost'])).toEqual([0, `${JULIET}  (disabled)`, '']);
    expect(await act(['enable', JULIET])).toEqual([0, `${JULIET} can log in again.`, '']);
    await check('pencil', 'success');
    expect(await act(['remove', JULIET])).toEqual([0, `${JULIET} is removed.`, '']);
    await check('pencil', 'not-authorized');
    expect(await act(['remove', JULIET])).toEqual([1, '', `There is no account ${JULIET}.`]);
  });
});

describe.each(['a stopped store', 'a running node'])('on %s', (where) => {
  it('an account gets another address, and its password with it', async () => {
    const domains = ['localhost', 'verona.lit'];
    const installation = new Installation({ domains, limits: { logins: { delaySeconds: 0 } } });
    await installation.accounts(JULIET, 'romeo@localhost');
    const node = where === 'a running node' ? await installation.start() : undefined;
    const act = (...args: string[]) => account(installation, ['move', ...args]);

    expect(await act(JULIET, 'romeo@localhost')).toEqual([1, '', 'romeo@localhost exists already.']);
    expect(await act(JULIET, 'juliet@capulet.lit')).toEqual([
      1,
      '',
      'The domain capulet.lit is not served here. Served are: localhost, verona.lit.',
    ]);
    const [code, stdout, stderr] = await act(JULIET, 'juliet@verona.lit');
    expect([code, stderr]).toEqual([0, '']);
    const lines = String(stdout).split('\n');
    expect(lines.at(-1)).toBe(`${JULIET} is juliet@verona.lit now.`);
    expect(new Set(lines).size).toBe(lines.length);
    expect(await act(JULIET, 'juliet@verona.lit')).toEqual([
      1,
      '',
      `There is no account ${JULIET}, and nothing that one has left behind.`,
    ]);
    const running = node ?? (await installation.start());
    const client = await encrypted(running.port('c2s'), 'verona.lit');
    expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('success');
    client.break();
    expect(await logsIn(running.port('c2s'), 'secret')).toBe('not-authorized');
  });
});

it('says what is wrong with an address or a password', async () => {
  const installation = new Installation();
  const answers: (string | number | null)[][] = [];
  for (const [jid, input] of [
    ['juliet', 'secret\n'],
    ['juliet@localhost/balcony', 'secret\n'],
    ['juliet@capulet.lit', 'secret\n'],
    ['ju liet@localhost', 'secret\n'],
    [JULIET, '\u0007\n'],
    [JULIET, ''],
    [JULIET, '\nsecret\n'],
    [JULIET, 'x'.repeat(5000)],
  ] as const) {
    answers.push(await account(installation, ['add', jid], input));
  }
  expect(answers.map(([code]) => code)).toEqual([2, 2, 1, 1, 1, 2, 2, 2]);
  for (const [, stdout, stderr] of answers) {
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^.{10,200}[.:].*$/); // one line, and no stack
  }
  expect(await account(installation, ['list', 'capulet.lit'])).toEqual([
    1,
    '',
    'The domain capulet.lit is not served here. Served are: localhost.',
  ]);
});

it('logs a disabled or removed account out at once', async () => {
  const installation = new Installation();
  await installation.accounts('romeo@localhost', JULIET);
  const node = await installation.start();
  for (const [args, jid] of [
    [['disable', JULIET], `${JULIET}/balcony`],
    [['remove', 'romeo@localhost'], 'romeo@localhost/orchard'],
  ] as const) {
    const client = await logIn(node.port('c2s'), jid);
    const stranger = await encrypted(node.port('c2s'));
    expect((await installation.parley(['account', ...args])).code).toBe(0);
    const error = await client.take(({ name }) => name === 'error');
    expect(error.firstChild?.name).toBe('not-authorized');
    await client.closed;
    stranger.break();
  }
});

describe.each(['a stopped store', 'a running node'])('on %s', (where) => {
  it('the clients of an account are listed, and shut out one by one or all at once', async () => {
    const installation = new Installation({ limits: { logins: { delaySeconds: 0 } } });
    await installation.accounts(JULIET);
    let node = await installation.start();
    const agents = ['a', 'b'].map((digit) => AGENT.replace('d4565fa7', digit.repeat(8)));
    const logIn2 = async (agent: string) => {
      const client = await encrypted(node.port('c2s'));
      const success = await plain2(client, 'juliet', 'secret', `${agent + wantToken()}<bind xmlns='urn:xmpp:bind:0'/>`);
      return { client, token: tokenIn(success) ?? '', agent };
    };
    const outcome = async ({ token, agent }: { token: string; agent: string }) => {
      const client = await encrypted(node.port('c2s'));
      const said = conditionOf(await show(client, token, { agent }));
      client.break();
      return said;
    };
    const act = (...args: string[]) => account(installation, args);
    const [first, second] = [await logIn2(agents[0] ?? ''), await logIn2(agents[1] ?? '')];
    expect(await outcome(first)).toBe('success');
    if (where !== 'a running node') await node.stop();
    const [code, stdout = ''] = await act('clients', JULIET, '--json');
    const listed = String(stdout)
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; lastSeen: number });
    expect([code, listed]).toEqual([
      0,
      [1, 2].map(() =>
        expect.objectContaining({
          connected: where === 'a running node',
          auth: ['password', 'fast'],
          mechanism: 'PLAIN',
          software: 'AwesomeXMPP',
        }),
      ),
    ]);
    const [, words] = await act('clients', JULIET);
    const when = where === 'a running node' ? 'connected' : 'seen \\S+ \\S+';
    expect(words).toMatch(new RegExp(`^\\S{16}  ${when}  password, token  "AwesomeXMPP"$`, 'm'));

    expect(await act('revoke', JULIET)).toEqual([2, '', expect.stringContaining('Write either --client ID or --all.')]);
    expect(await act('revoke', JULIET, '--client', 'nobody')).toEqual([
      1,
      '',
      expect.stringContaining('has no client'),
    ]);
    expect(await act('clients', 'romeo@localhost')).toEqual([1, '', 'There is no account romeo@localhost.']);
    expect((await act('revoke', JULIET, '--client', listed[0]?.id ?? ''))[0]).toBe(0);
    if (where !== 'a running node') node = await installation.start();
    expect([await outcome(first), await outcome(second)].toSorted()).toEqual(['not-authorized', 'success']);
    expect(await act('revoke', JULIET, '--all')).toEqual([
      0,
      `All clients of ${JULIET} have lost access. Whoever knows the password can log in again.`,
      '',
    ]);
    if (where === 'a running node') for (const { client } of [first, second]) await client.closed;
    expect([await outcome(first), await outcome(second)]).toEqual(['not-authorized', 'not-authorized']);
    expect(await logsIn(node.port('c2s'), 'secret')).toBe('success');
    for (const { client } of [first, second]) client.break();
  });
});
