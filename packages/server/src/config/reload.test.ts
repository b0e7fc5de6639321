import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { count } from './option.ts';
import { apply, compare } from './reload.ts';
import { configurationSchema, type ModuleSettings } from './schema.ts';

const modules: ModuleSettings[] = [
  {
    name: 'ping',
    schema: z.strictObject({
      everySeconds: count(60, { live: true, description: 'Time between pings.' }),
      threads: count(1, { description: 'Not to be changed while it runs.' }),
    }),
  },
];

const configure = (input: object) => configurationSchema(modules).parse(input);

const before = {
  domains: ['a.example', { name: 'b.example', certificate: 'b.pem', key: 'b.key' }],
  modules: { ping: { everySeconds: 30 } },
};

describe('compare', () => {
  it('finds nothing between equal configurations', () => {
    expect(compare(configure(before), configure(before), modules)).toEqual({ live: [], restart: [] });
  });

  it('says which changes a running node takes over and which wait', () => {
    const next = configure({
      domains: [{ name: 'b.example', certificate: 'new.pem', key: 'b.key' }, 'a.example'],
      log: { level: 'debug', pretty: true },
      limits: { stanzas: { perSecond: 0 } },
      listen: { c2s: [{ host: '::', port: 6222 }] },
      modules: { ping: { everySeconds: 20, threads: 2 } },
      admins: ['romeo@a.example'],
    });
    expect(compare(configure(before), next, modules)).toEqual({
      live: [
        'domains[b.example].certificate',
        'limits.stanzas.perSecond',
        'modules.ping.everySeconds',
        'admins',
        'log.level',
      ],
      restart: ['listen.c2s', 'modules.ping.threads', 'log.pretty'],
    });
  });

  it('sees a domain that comes or goes as one change', () => {
    expect(compare(configure(before), configure({ ...before, domains: ['a.example'] }), modules)).toEqual({
      live: [],
      restart: ['domains'],
    });
    expect(compare(configure(before), configure({ ...before, domains: ['a.example', 'c.example'] }), modules)).toEqual({
      live: [],
      restart: ['domains'],
    });
  });
});

describe('apply', () => {
  it('changes the running groups in place, and only what may change', () => {
    const running = configure(before);
    const { stanzas } = running.limits;
    const ping = running.modules.ping;
    const next = configure({
      ...before,
      domains: ['a.example', { name: 'b.example', certificate: 'new.pem', key: 'new.key' }],
      limits: { stanzas: { perSecond: 7 } },
      drain: { seconds: 1 },
      keyspace: { url: 'embedded:elsewhere' },
      modules: { ping: { everySeconds: 5, threads: 9 } },
    });
    const { restart } = apply(running, next, modules);
    expect(restart).toEqual(['keyspace.url', 'modules.ping.threads']);
    expect(stanzas.perSecond).toBe(7);
    expect(running.drain.seconds).toBe(1);
    expect(running.domains[1]).toEqual({ name: 'b.example', certificate: 'new.pem', key: 'new.key' });
    expect(ping).toEqual({ enabled: true, everySeconds: 5, threads: 1 });
    expect(running.keyspace.url).toBe('embedded:data');
    expect(compare(running, next, modules)).toEqual({ live: [], restart });
  });

  it('takes a certificate that is new where none was, and one that is gone', () => {
    const running = configure({});
    const next = configure({ tls: { certificate: 'a.pem', key: 'a.key' } });
    expect(apply(running, next).live).toEqual(['tls.certificate', 'tls.key']);
    expect(running.tls).toMatchObject({ certificate: 'a.pem', key: 'a.key' });
    apply(running, configure({}));
    expect(running.tls.certificate).toBeUndefined();
  });
});
