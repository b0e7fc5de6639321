import { expect, it, vi } from 'vitest';
import { Installation } from '../support/process.ts';

vi.setConfig({ testTimeout: 60_000 }); // starts several processes

it('tells about other servers', async () => {
  const installation = new Installation({
    federation: {
      enabled: true,
      peers: [{ domain: 'capulet.example', connectTo: '127.0.0.1:1' }],
    },
  });
  await installation.start();
  expect(await installation.parley(['s2s', 'list', '--json'])).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify({ outgoing: [], incoming: [] }, null, 2)}\n`,
  });
  const explained = await installation.parley(['s2s', 'explain', 'capulet.example']);
  expect(explained.code).toBe(0);
  expect(explained.stdout).toContain('connecting to 127.0.0.1 port 1');
  expect(explained.stdout).toMatch(/It does not work\. Nobody listens at 127\.0\.0\.1 port 1\.\n$/);
  const connected = await installation.parley(['s2s', 'connect', 'capulet.example']);
  expect(connected).toMatchObject({ code: 1, stderr: 'Nobody listens at 127.0.0.1 port 1.\n' });
  expect((await installation.parley(['s2s', 'list'])).stdout).toMatch(
    /^localhost -> capulet\.example, resting, Nobody/,
  );
  expect((await installation.parley(['s2s', 'close', 'capulet.example'])).stdout).toBe('Closed 0 streams.\n');
  expect((await installation.parley(['s2s', 'explain', 'localhost'])).stderr).toBe('localhost is served here.\n');
});
