import { defineOperation, type OperationView, type Reply } from '@parley/keyspace/operation';

const done = (reply: Reply): boolean => reply === 1;
const number = (text: Buffer | undefined): number => Number(text?.toString() ?? 0);

function keep(view: OperationView, key: string, fields: readonly Buffer[]): void {
  for (let index = 0; index + 1 < fields.length; index += 2) {
    view.hset(key, [[String(fields[index]), fields[index + 1] as Buffer]]);
  }
}

/** Answers the number of the lease, a higher one for each holder that follows another, or minus the milliseconds for which somebody else has it. */
export const takeLease = defineOperation<number>({
  name: 'directory-lease',
  lua: new URL('./operations/lease.lua', import.meta.url),
  js(view, [lease = ''], [holder, time]) {
    const rest = number(view.hget(lease, 'until')) - view.now();
    let epoch = number(view.hget(lease, 'epoch'));
    if (view.hget(lease, 'holder')?.toString() !== String(holder)) {
      if (rest > 0) return -Math.ceil(rest);
      if (number(time) === 0) return 0;
      epoch = Math.max(epoch + 1, Math.floor(view.now()));
    }
    const until = view.now() + number(time);
    view.hset(lease, [
      ['holder', String(holder)],
      ['until', until.toFixed(0)],
      ['epoch', String(epoch)],
    ]);
    return epoch;
  },
  result: (reply) => Number(reply),
});

/** False where another one follows the directory now. */
export const saveState = defineOperation<boolean>({
  name: 'directory-save',
  lua: new URL('./operations/save-state.lua', import.meta.url),
  js(view, [lease = '', state = ''], [epoch, ...fields]) {
    if (view.hget(lease, 'epoch')?.toString() !== String(epoch)) return 0;
    keep(view, state, fields);
    return 1;
  },
  result: done,
});

/** False where somebody with a newer lease has told. */
export const putPerson = defineOperation<boolean>({
  name: 'person-put',
  lua: new URL('./operations/put-person.lua', import.meta.url),
  js(view, [person = ''], [epoch, ...fields]) {
    const known = view.hget(person, 'epoch');
    if (known !== undefined && number(known) > Number(epoch)) return 0;
    view.hset(person, [['epoch', String(epoch)]]);
    keep(view, person, fields);
    return 1;
  },
  result: done,
});

/** False where somebody with a newer lease has told. */
export const removePerson = defineOperation<boolean>({
  name: 'person-remove',
  lua: new URL('./operations/remove-person.lua', import.meta.url),
  js(view, [person = ''], [epoch, id]) {
    const known = view.hget(person, 'epoch');
    if (known !== undefined && number(known) > Number(epoch)) return 0;
    if (view.hget(person, 'id')?.toString() === String(id)) view.del(person);
    return 1;
  },
  result: done,
});
