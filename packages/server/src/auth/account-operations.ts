import { defineOperation, type Reply } from '@parley/keyspace/operation';

const done = (reply: Reply): boolean => reply === 1;

const pairs = (args: readonly Buffer[]): [string, Buffer][] => {
  const fields: [string, Buffer][] = [];
  for (let i = 0; i + 1 < args.length; i += 2) fields.push([String(args[i]), args[i + 1] as Buffer]);
  return fields;
};

/** Makes an account where there is none: false where there is one. */
export const createAccount = defineOperation<boolean>({
  name: 'account-create',
  lua: new URL('./account-create.lua', import.meta.url),
  js(view, [account = '', index = ''], [bareJid = '', ...fields]) {
    if (view.hlen(account) > 0) return 0;
    view.hset(account, pairs(fields));
    view.sadd(index, bareJid);
    return 1;
  },
  result: done,
});

/** Changes fields of an account in which another one is what it was: false where it is not. */
export const changeUnchangedAccount = defineOperation<boolean>({
  name: 'account-change-unchanged',
  lua: new URL('./account-change-unchanged.lua', import.meta.url),
  js(view, [account = ''], [field = '', value, ...fields]) {
    const found = view.hget(account, String(field));
    if (found === undefined || value === undefined || !found.equals(value)) return 0;
    view.hset(account, pairs(fields));
    return 1;
  },
  result: done,
});

/** Changes fields of an account that exists: false where there is none. */
export const changeAccount = defineOperation<boolean>({
  name: 'account-change',
  lua: new URL('./account-change.lua', import.meta.url),
  js(view, [account = ''], fields) {
    if (view.hlen(account) === 0) return 0;
    view.hset(account, pairs(fields));
    return 1;
  },
  result: done,
});
