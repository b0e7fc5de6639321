import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Log } from '../log.ts';
import { type HttpOptions, HttpServer } from './http.ts';
import { SocketTaken } from './unix-socket.ts';

let lines: string[];
let open: HttpServer[];
let directory: string;
beforeEach(() => {
  lines = [];
  open = [];
  directory = mkdtempSync(join(tmpdir(), 'parley-http-'));
});
afterEach(async () => {
  for (const server of open) await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function create(options: Partial<HttpOptions> = {}): HttpServer {
  const server = new HttpServer({
    permissions: ['public', 'metrics'],
    maxBodyBytes: 1000,
    requestTimeoutSeconds: 5,
    log: Log.create({ output: { write: (line) => void lines.push(line) } }),
    ...options,
  });
  open.push(server);
  server.routes.get('/open', { config: { permission: 'public' } }, () => ({ hello: 'world' }));
  server.routes.post('/echo', { config: { permission: 'public' } }, (incoming) => incoming.body);
  server.routes.get('/admin', { config: { permission: 'administration' } }, () => ({ secret: true }));
  server.routes.get('/fault', { config: { permission: 'public' } }, () => {
    throw new Error('the password is hunter2');
  });
  return server;
}

interface Answer {
  status: number;
  body: string;
  headers: Map<string, unknown>;
}

interface Asked {
  port?: number;
  socketPath?: string;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

function ask({ body, ...options }: Asked): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request({ host: '127.0.0.1', ...options, agent: false }, async (response) => {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    resolve({ status: response.statusCode ?? 0, body: text, headers: new Map(Object.entries(response.headers)) });
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

const local = { host: '127.0.0.1', port: 0 };

describe('a request', () => {
  it('is answered, with nothing said about the server', async () => {
    const port = await create().listen(local);
    const { status, body, headers } = await ask({ port, path: '/open' });
    expect([status, body]).toEqual([200, '{"hello":"world"}']);
    expect([...headers.keys()].filter((name) => /server|powered/.test(name))).toEqual([]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('for nothing that is there gets 404', async () => {
    const port = await create().listen(local);
    expect(await ask({ port, path: '/nothing?x=/open' })).toMatchObject({ status: 404, body: '{"error":"not-found"}' });
    expect((await ask({ port, path: '/open', method: 'DELETE' })).status).toBe(404);
  });

  it.each(['/health/%2e%2e/admin', '//open', '/%6Fpen', '/open/', '/open/../admin', '/open%2Fx', '/open%'])(
    'for %s gets 400',
    async (path) => {
      const port = await create().listen(local);
      expect(await ask({ port, path })).toMatchObject({ status: 400, body: '{"error":"bad-request"}' });
    },
  );

  it('that fails tells nothing but the log why', async () => {
    const port = await create().listen(local);
    const answer = await ask({ port, path: '/fault' });
    expect(answer).toMatchObject({ status: 500, body: '{"error":"internal-server-error"}' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'http.failed',
      path: '/fault',
      error: { message: 'the password is hunter2' },
    });
  });

  it('with a body that is too large or no JSON is refused', async () => {
    let tooLarge = 0;
    const port = await create({ onBodyTooLarge: () => tooLarge++ }).listen(local);
    const send = (body: string) =>
      ask({ port, path: '/echo', method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(await send(JSON.stringify({ x: 'y'.repeat(2000) }))).toMatchObject({
      status: 413,
      body: '{"error":"too-large"}',
    });
    expect(tooLarge).toBe(1);
    expect(await send('{"a":')).toMatchObject({ status: 400, body: '{"error":"bad-request"}' });
    expect((await send('{"__proto__":{"a":1}}')).status).toBe(400);
    expect(await send('{"a":1}')).toMatchObject({ status: 200, body: '{"a":1}' });
    expect(lines).toEqual([]);
  });

  it('that is no HTTP is answered with 400 and closed', async () => {
    const port = await create().listen(local);
    const socket = connect(port, '127.0.0.1', () => socket.write('<stream:stream>\r\n\r\n'));
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n/);
  });
});

describe('a route', () => {
  it('that says no permission does not get in', () => {
    const server = create();
    expect(() => server.routes.get('/forgotten', () => 'x')).toThrow('GET /forgotten says no config.permission');
  });

  it('is closed to those who may not use it', async () => {
    const port = await create().listen(local);
    expect(await ask({ port, path: '/admin' })).toMatchObject({ status: 403, body: '{"error":"forbidden"}' });
    const other = await create({ permissions: ['administration'] }).listen(local);
    expect((await ask({ port: other, path: '/admin' })).status).toBe(200);
    expect((await ask({ port: other, path: '/open' })).status).toBe(403);
  });
});

describe('the name of the host', () => {
  it.each([
    ['localhost', 200],
    ['localhost:5280', 200],
    ['127.0.0.1', 200],
    ['[::1]:5280', 200],
    ['10.1.2.3:5280', 200],
    ['Metrics.example', 200],
    ['metrics.example:80', 200],
    ['attacker.example', 421],
    ['localhost.attacker.example', 421],
    ['127.0.0.1.attacker.example', 421],
    ['[::1', 421],
  ])('%j gives %d', async (host, status) => {
    const port = await create({ allowedHosts: ['metrics.example'] }).listen(local);
    expect((await ask({ port, path: '/open', headers: { host } })).status).toBe(status);
  });
});

describe('a Unix socket', () => {
  it('is for the user of the process alone, and asks for no host', async () => {
    const path = join(directory, 'run', 'parley.sock');
    const server = create({ permissions: ['public', 'metrics', 'administration'] });
    await server.listenOnSocket(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
    expect((await ask({ socketPath: path, path: '/admin', headers: { host: 'anything' } })).status).toBe(200);
    expect((await ask({ socketPath: path, path: '/%2e%2e/admin' })).status).toBe(400);
  });

  it('needs to write nowhere but in its own folder', async () => {
    const path = join(directory, 'run', 'parley.sock');
    mkdirSync(join(directory, 'run'));
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const seen = new Set<string | null>();
    const watcher = watch(directory, (_event, name) => (name === 'end' ? resolve() : seen.add(name)));
    await create().listenOnSocket(path);
    writeFileSync(join(directory, 'end'), ''); // what happened before is told before
    await end;
    watcher.close();
    seen.delete('run');
    expect([...seen]).toEqual([]);
  });

  it('is gone when it is closed', async () => {
    const path = join(directory, 'parley.sock');
    const server = create();
    await server.listenOnSocket(path);
    await server[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('with a path that the kernel does not take is refused in words', async () => {
    await expect(create().listenOnSocket(join(directory, 'x'.repeat(100)))).rejects.toThrow('is too long');
  });

  it('is not taken from a node that listens on it', async () => {
    const path = join(directory, 'parley.sock');
    await create().listenOnSocket(path);
    await expect(create().listenOnSocket(path)).rejects.toThrow(SocketTaken);
    expect((await ask({ socketPath: path, path: '/open' })).status).toBe(200);
  });

  it('takes the place of what a dead node left, and of nothing else', async () => {
    const path = join(directory, 'parley.sock');
    // A socket whose process is gone: bound, but nobody accepts.
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(statSync(path).isSocket()).toBe(true);
    await create().listenOnSocket(path);
    expect((await ask({ socketPath: path, path: '/open' })).status).toBe(200);

    const file = join(directory, 'letter.txt');
    writeFileSync(file, 'dear');
    await expect(create().listenOnSocket(file)).rejects.toThrow('is no socket');
    expect(statSync(file).size).toBe(4);
  });
});

it('closes at once, with connections that are idle and with one that never finishes', async () => {
  const server = create();
  const port = await server.listen(local);
  const slow = connect(port, '127.0.0.1', () => slow.write('GET /open HTTP/1.1\r\nHost: '));
  const closed = new Promise((resolve) => slow.once('close', resolve));
  slow.on('error', () => slow.destroy());
  expect((await ask({ port, path: '/open' })).status).toBe(200);
  await server[Symbol.asyncDispose]();
  await closed;
  await expect(ask({ port, path: '/open' })).rejects.toThrow('ECONNREFUSED');
});
