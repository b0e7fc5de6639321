import { describe, expect, it, vi } from 'vitest';
import { plain } from '../../../../tests/support/login.ts';
import { encrypted, logIn } from '../../../../tests/support/network.ts';
import { binaryHeader, textHeader } from '../../../../tests/support/proxy-header.ts';
import { type ServerOptions, startServer } from '../../../../tests/support/server.ts';
import { socketWire } from '../../../../tests/support/wires.ts';

async function behindLoadBalancer(config: ServerOptions['config'] = {}, descriptorLimit = 1000) {
  const server = await startServer({
    descriptorLimit,
    config: {
      listen: { c2s: [{ host: '127.0.0.1', port: 0, proxyProtocol: true }], c2sTls: [], http: [] },
      proxyProtocol: { trustedNetworks: ['127.0.0.1/32'], headerTimeoutSeconds: 60 },
      ...config,
    },
  });
  await server.account('romeo@localhost');
  const port = server.node.ports[0]?.port ?? 0;
  const log = (event: string) => server.log.filter((line) => line.event === event);
  const refused = (cause: 'address' | 'descriptors' | 'proxy-source' | 'proxy-header') =>
    server.node.registry.metrics.connectionsRefused.with({ cause }).value;
  return { server, port, log, refused };
}

describe('behind a load balancer', () => {
  it('the log tells the address of the client', async () => {
    const { port, log } = await behindLoadBalancer();
    await logIn(port, 'romeo@localhost/orchard', undefined, textHeader('198.51.100.9'));
    await logIn(port, 'romeo@localhost/hall', undefined, binaryHeader());
    expect(log('session.bound').map(({ address }) => address)).toEqual(['198.51.100.9', '192.0.2.7']);
  });

  it('the limits by address count each client alone', async () => {
    const { port, log, refused } = await behindLoadBalancer({ limits: { connections: { perAddress: 1 } } });
    const of = (address: string) => encrypted(port, 'localhost', undefined, textHeader(address));
    await of('198.51.100.1');
    const second = await of('198.51.100.2');
    await expect(of('198.51.100.1')).rejects.toThrow('refused');
    expect(refused('address')).toBe(1);
    expect(log('limit.exceeded')).toMatchObject([{ limit: 'connections-per-address', address: '198.51.100.1' }]);
    await second.close();
    await of('198.51.100.2');
  });

  it('a lockout is for the client alone', async () => {
    const { port, log } = await behindLoadBalancer({
      limits: { logins: { failuresPerAddress: 1, delaySeconds: 0, maxDelaySeconds: 0 } },
    });
    const tries = async (address: string, password: string) => {
      const client = await encrypted(port, 'localhost', undefined, textHeader(address));
      return (await plain(client, 'romeo', password)).toString();
    };
    expect(await tries('198.51.100.1', 'wrong')).toContain('not-authorized');
    expect(await tries('198.51.100.1', 'secret')).toContain('temporary-auth-failure');
    expect(await tries('198.51.100.2', 'secret')).toContain('<success');
    expect(log('login.failed')[0]).toMatchObject({ address: '198.51.100.1' });
  });

  it('nobody else gets in, whatever they say of themselves', async () => {
    const { port, log, refused } = await behindLoadBalancer();
    const stranger = encrypted(port, 'localhost', '127.0.0.2', textHeader('127.0.0.1'));
    await expect(stranger).rejects.toThrow('refused');
    expect(refused('proxy-source')).toBe(1);
    expect(log('connection.refused')).toMatchObject([{ address: '127.0.0.2' }]);
  });

  it('no header is no connection', async () => {
    const { port, log, refused } = await behindLoadBalancer();
    await expect(encrypted(port)).rejects.toThrow('refused');
    expect(refused('proxy-header')).toBe(1);
    expect(log('connection.refused')).toMatchObject([
      { address: '127.0.0.1', reason: 'no header came before the stream' },
    ]);
  });

  it('what waits for its header counts among the descriptors', async () => {
    const { server, port, refused } = await behindLoadBalancer(
      { limits: { connections: { unauthenticatedPercent: 100 } } },
      2, // one of them is for connections
    );
    const silent = await socketWire(port);
    await vi.waitFor(() => expect(server.node.load).toBe(1), { interval: 2 });
    await expect(encrypted(port, 'localhost', undefined, binaryHeader())).rejects.toThrow('refused');
    expect(refused('descriptors')).toBe(1);
    silent.break();
    await vi.waitFor(() => expect(server.node.load).toBeLessThan(1), { interval: 2 });
    await encrypted(port, 'localhost', undefined, binaryHeader());
  });
});
