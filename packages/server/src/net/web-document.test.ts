import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CertificateAuthority, plainName } from '../stream/testing.ts';
import { trustIn } from './dial.ts';
import { WebDocumentError, webDocument } from './web-document.ts';

const HOST = 'web.example';

let authority: CertificateAuthority;
let own: { cert: string; key: string };
beforeAll(async () => {
  authority = await CertificateAuthority.make();
  own = await authority.issue(plainName(2, HOST));
});

/** Starts a web server that answers like this, and asks it. */
async function get(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  { certificate = own, ms = 60_000, host = HOST } = {},
): Promise<string> {
  const server = createServer(certificate, answer).on('clientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return await webDocument({
    url: new URL(`https://${host}:${(server.address() as AddressInfo).port}/.well-known/x.json?a=b`),
    address: '127.0.0.1',
    trust: trustIn(authority.cert),
    maxBytes: 1000,
    signal: AbortSignal.timeout(ms),
  });
}

test('a document', async () => {
  const text = await get((request, response) => {
    response.end(`${request.method} ${request.url} ${request.headers.host?.replace(/:.*/, '')}`);
  });
  expect(text).toBe(`GET /.well-known/x.json?a=b ${HOST}`);
});

describe('no document', () => {
  const failing = async (promise: Promise<string>): Promise<string> => {
    const error = await promise.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WebDocumentError);
    return (error as WebDocumentError).message;
  };

  test('where another status comes, and no redirect is followed', async () => {
    expect(await failing(get((_, response) => void response.writeHead(404).end('none')))).toContain('404');
    const elsewhere = (location: string) =>
      get((_, response) => void response.writeHead(302, { location, 'content-length': '0' }).end());
    expect(await failing(elsewhere('http://127.0.0.1/'))).toContain('elsewhere (302)');
    expect(await failing(elsewhere(`https://${HOST}/`))).toContain('elsewhere (302)');
  });

  test('where it is too large, whatever the header says', async () => {
    const endless = (length?: string) =>
      get((_, response) => {
        if (length !== undefined) response.setHeader('content-length', length);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(1000)));
        };
        response.on('drain', more);
        more();
      });
    expect(await failing(endless())).toContain('larger than 1000 bytes');
    expect(await failing(endless('1000000000'))).toContain('larger than 1000 bytes');
  });

  test('where the web server is slow at any step', async () => {
    const late = 'did not come in time';
    expect(await failing(get(() => {}, { ms: 200 }))).toContain(late);
    const slow = (_: IncomingMessage, response: ServerResponse) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failing(get(slow, { ms: 200 }))).toContain(late);
    const hints = (_: IncomingMessage, response: ServerResponse) => {
      const timer = setInterval(() => response.writeProcessing(), 10);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failing(get(hints, { ms: 200 }))).toContain(late);
  });

  test('where it breaks off, or the header is huge', async () => {
    const short = (_: IncomingMessage, response: ServerResponse) => {
      response.setHeader('content-length', '500');
      response.write('x', () => void response.socket?.destroy());
    };
    expect(await failing(get(short))).toContain(HOST);
    const huge = (_: IncomingMessage, response: ServerResponse) => {
      for (let index = 0; index < 100; index++) response.setHeader(`x-${index}`, 'y'.repeat(200));
      response.end('x');
    };
    expect(await failing(get(huge))).toContain(HOST);
  });

  test('where the web server is not proved to be the host', async () => {
    const answer = (_: IncomingMessage, response: ServerResponse) => void response.end('x');
    const other = await CertificateAuthority.make('Another authority');
    const certificate = await other.issue(plainName(2, HOST));
    expect(await failing(get(answer, { certificate }))).toContain('encryption: ');
    expect(await failing(get(answer, { host: 'other.example' }))).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('where nobody listens', async () => {
    const options = { address: '127.0.0.1', trust: trustIn(authority.cert), maxBytes: 1000 };
    const url = new URL(`https://${HOST}:1/`);
    const asked = webDocument({ ...options, url, signal: AbortSignal.timeout(60_000) });
    expect(await failing(asked)).toContain('connection: ECONNREFUSED');
  });
});
