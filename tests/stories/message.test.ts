import { describe, expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

describe('messages between two clients of one server', () => {
  it('arrive with a true sender, in order', async () => {
    const server = await startServer();
    const romeo = await server.client('romeo@localhost/orchard');
    const juliet = await server.client('juliet@localhost/balcony');
    for (let i = 0; i < 3; i++)
      romeo.send(`<message to='juliet@localhost/balcony' id='${i}'><body>${i}</body></message>`);
    for (let i = 0; i < 3; i++) {
      const message = await juliet.nextMessage('romeo@localhost/orchard');
      expect(message.childText('body')).toBe(String(i));
    }
  });

  it('may not claim another sender', async () => {
    const server = await startServer();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<message from='juliet@localhost' to='romeo@localhost'><body>x</body></message>`);
    expect((await romeo.next()).child('invalid-from', 'urn:ietf:params:xml:ns:xmpp-streams')).toBeDefined();
    await romeo.closed;
  });

  it('are counted by their bytes, in and out', async () => {
    const server = await startServer();
    const romeo = await server.client('romeo@localhost/orchard');
    const juliet = await server.client('juliet@localhost/balcony');
    const bytes = (direction: 'in' | 'out') => server.count(({ io }) => io.with({ direction }));
    const [before, beforeOut] = [bytes('in'), bytes('out')];
    const text = `<message to='juliet@localhost/balcony'><body>é</body></message>`;
    romeo.send(text);
    const written = (await juliet.nextMessage()).toString('jabber:client');
    expect(bytes('in') - before).toBe(Buffer.byteLength(text));
    expect(bytes('out') - beforeOut).toBe(Buffer.byteLength(written));
  });
});
