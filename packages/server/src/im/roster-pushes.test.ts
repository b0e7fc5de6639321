import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../session/journal.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { RosterPushes } from './roster-pushes.ts';

const account = Jid.parse('juliet@capulet.example');
const item = (jid: string) => Element.of('item', NS.roster, { jid });

let sent: Stanza[];
let sessions: Session[];
let versioning: boolean;
let pushes: RosterPushes;

beforeEach(() => {
  sent = [];
  versioning = true;
  sessions = ['balcony', 'chamber'].map(
    (resource) => ({ jid: account.withResource(resource), account, interested: true }) as Session,
  );
  const journal: Journal = {
    append(_, stanza, done) {
      sent.push(stanza);
      done([]);
    },
  };
  pushes = new RosterPushes(journal, { of: () => sessions } as unknown as Sessions, () => versioning);
});

const told = () =>
  sent.map(({ to, payload }) => `${to?.resource} ${payload?.attr('ver')} ${payload?.firstChild?.attr('jid')}`);

describe('a roster push', () => {
  it('goes to each interested resource by its full JID, from the account', () => {
    pushes.push(account, item('nurse@capulet.example'), 7);
    expect(told()).toEqual(['balcony 7 nurse@capulet.example', 'chamber 7 nurse@capulet.example']);
    expect(sent[0]?.toString()).toMatch(
      /^<iq to='juliet@capulet.example\/balcony' from='juliet@capulet.example' id='push-\S+' type='set'><query xmlns='jabber:iq:roster' ver='7'><item jid='nurse@capulet.example'\/><\/query><\/iq>$/,
    );
  });

  it('goes to no resource that never asked for the roster', () => {
    (sessions[0] as Session).interested = false;
    pushes.push(account, item('a@x'), 7);
    expect(told()).toEqual(['chamber 7 a@x']);
  });

  it('has an id of its own', () => {
    pushes.push(account, item('a@x'), 7);
    pushes.push(account, item('a@x'), 8);
    new RosterPushes({ append: (_, stanza) => sent.push(stanza) }, { of: () => sessions } as never, () => true).push(
      account,
      item('a@x'),
      9,
    );
    expect(new Set(sent.map(({ id }) => id)).size).toBe(3);
  });

  it('says no version where versions are switched off', () => {
    versioning = false;
    pushes.push(account, item('a@x'), 7);
    expect(told()).toEqual(['balcony undefined a@x', 'chamber undefined a@x']);
  });
});

describe('what a session missed', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('comes after the answer that is sent in this turn', async () => {
    pushes.afterAnswer(sessions[0] as Session, () => [
      [item('a@x'), 3],
      [item('b@x'), 4],
    ]);
    expect(sent).toEqual([]);
    await turn();
    expect(told()).toEqual(['balcony 3 a@x', 'balcony 4 b@x']);
  });

  it('comes before a later push, and once', async () => {
    pushes.afterAnswer(sessions[0] as Session, () => [[item('a@x'), 3]]);
    pushes.push(account, item('b@x'), 4);
    await turn();
    expect(told()).toEqual(['balcony 3 a@x', 'balcony 4 b@x', 'chamber 4 b@x']);
  });
});
