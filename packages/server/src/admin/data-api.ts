import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AccountPiece, type DataAdministration, EXISTING, type ExportChoice } from './data-administration.ts';
import { progressLines } from './progress-lines.ts';

/** Bytes of one piece: a client sends what is larger than a few hundred kilobytes alone. */
const LARGEST_PIECE = 67_108_864;

const config = { permission: 'administration' } as const;
const flag = { type: 'boolean' } as const;
const string = { type: 'string' } as const;
const piece = {
  type: 'object',
  required: ['jid', 'existing', 'first', 'last', 'parts'],
  properties: {
    jid: { ...string, minLength: 1, maxLength: 4096 },
    existing: { enum: EXISTING },
    first: flag,
    last: flag,
    password: { ...string, maxLength: 65_536 },
    parts: { type: 'array', items: string },
  },
  additionalProperties: false,
} as const;

/** The routes by which `parley export` and `parley import` speak to a running node. */
export function dataApi(api: FastifyInstance, dataOf: (request: FastifyRequest) => DataAdministration): void {
  api.get<{ Querystring: ExportChoice }>('/api/data', { config }, async (request, reply) => {
    const pieces = dataOf(request).export(request.query)[Symbol.asyncIterator]();
    const first = await pieces.next(); // a wrong choice is an error, and not a piece
    return reply.type('application/x-ndjson').send(Readable.from(progressLines(first, pieces)));
  });
  type OfAccount = { Params: { jid: string } };
  api.get<OfAccount>('/api/data/:jid', { config }, async (request, reply) => {
    const pieces = dataOf(request).archive(request.params.jid)[Symbol.asyncIterator]();
    const first = await pieces.next();
    return reply.type('application/x-ndjson').send(Readable.from(progressLines(first, pieces)));
  });
  api.delete<OfAccount>('/api/data/:jid', { config }, async (request) => ({
    left: await dataOf(request).erase(request.params.jid),
  }));
  api.get('/api/backup', { config }, async (request, reply) => {
    const pieces = dataOf(request).backup()[Symbol.asyncIterator]();
    const first = await pieces.next();
    return reply.type('application/octet-stream').send(Readable.from(from(first, pieces)));
  });
  api.post<{ Body: AccountPiece }>(
    '/api/data',
    { config, bodyLimit: LARGEST_PIECE, schema: { body: piece } },
    (request) => dataOf(request).import(request.body),
  );
}

async function* from<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let piece = first; !piece.done; piece = await rest.next()) yield piece.value;
  } finally {
    await rest.return?.(); // whoever asked may be gone
  }
}
