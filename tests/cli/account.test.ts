import { describe, expect, it, vi } from 'vitest';
import { conditionOf, plain } from '../support/login.ts';
import { encrypted, logIn } from '../support/network.ts';
import { Installation } from '../support/process.ts';

vi.setConfig({ testTimeout: 60_000 }); // each starts several processes

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
