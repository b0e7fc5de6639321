import { DataForm } from '@parley/xmpp/data-form';
import { readSubmission } from '@parley/xmpp/data-form-submission';
import type { Element } from '@parley/xmpp/element';
import { Jid, JidError } from '@parley/xmpp/jid';
import { escapeLocalPart, unescapeLocalPart } from '@parley/xmpp/jid-escaping';
import { NS } from '@parley/xmpp/namespaces';
import { parsePageRequest } from '@parley/xmpp/result-set';
import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import type { SaslTokens } from '@parley/xmpp/sasl/mechanism';
import { decodeSaslData, saslMechanisms, startSasl } from '@parley/xmpp/sasl/mechanisms';
import { services } from '@parley/xmpp/sasl/testing';
import { SaslError } from '@parley/xmpp/sasl-error';
import { isStanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { BareStream } from '../bare-stream.ts';
import { readInPieces, readRelayed, treeOf } from '../reading.ts';
import type { Target } from './fuzz.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Runs what may throw errors of one kind, and no others. */
function throwsOnly<T>(kind: abstract new (...args: never[]) => Error, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof kind) return undefined;
    throw error;
  }
}

const STREAM_LIMITS = { maxBytes: 2000, maxElements: 50, maxDepth: 8, maxAttributes: 16, maxNameLength: 200 };

/** Bytes to the events of a stream, and what is made of its stanzas. */
export const stream: Target = {
  async run(input) {
    for (const element of readInPieces(input).received) throwsOnly(StanzaError, () => examine(element));
    const bare = new BareStream(STREAM_LIMITS);
    bare.push(input);
    await settled();
    const fault = bare.happened.find(({ kind }) => kind === 'fault');
    if (fault?.kind === 'fault') throw fault.error;
    if (bare.happened.filter(({ kind }) => kind === 'end').length !== (bare.stream.closed ? 1 : 0)) {
      throw new Error('A stream ends once.');
    }
  },
};

function examine(element: Element): void {
  const written = readRelayed(element.toString(NS.client));
  if (!same(written.map(treeOf), [treeOf(element)])) throw new Error('It is written as something else.');
  if (!isStanza(element)) return;
  const stanza = stanzaOf(element);
  const relayed = readRelayed(stanza.toString());
  if (!same(relayed.map(treeOf), [treeOf(stanza.toElement())])) throw new Error('It is relayed as something else.');
  checkStanza(stanza);
}

const MECHANISMS = [...saslMechanisms.map(({ name }) => name), ...tokenMechanisms.keys()];
const TOKENS: SaslTokens = {
  mechanisms: [...tokenMechanisms.keys()],
  find: async () => [{ secret: 'a token that nobody has', use: async () => undefined }],
};

/** The mechanism by the first byte, then what the client sends, a message a line: nobody gets in. */
export const sasl: Target = {
  async run(input) {
    const mechanism = MECHANISMS[(input[0] ?? 0) % MECHANISMS.length];
    if (mechanism === undefined || mechanism === 'ANONYMOUS') return;
    const exchange = startSasl(mechanism, services({ tokens: TOKENS }));
    for (const line of input.subarray(1).toString('latin1').split('\n')) {
      try {
        const data = Buffer.from(line, 'latin1');
        throwsOnly(SaslError, () => decodeSaslData(line));
        const step = await exchange.step(data);
        if (step.type === 'success') throw new Error(`Somebody got in as ${step.identity}.`);
      } catch (error) {
        if (error instanceof SaslError) return;
        throw error;
      }
    }
  },
};

/** Text to an address, which is then in its one form. */
export const jid: Target = {
  run(input) {
    const text = input.toString();
    const parsed = throwsOnly(JidError, () => Jid.parse(text));
    if (parsed !== undefined) {
      const { local, domain, resource } = parsed;
      const again = Jid.parse(parsed.toString());
      const parts = Jid.of(local === '' ? undefined : local, domain, resource === '' ? undefined : resource);
      if (!again.equals(parsed) || !parts.equals(parsed)) throw new Error(`${parsed} is not in its last form.`);
      for (const part of [local, domain, resource]) {
        if (Buffer.byteLength(part) > 1023) throw new Error('A part is too long.');
      }
    }
    const escaped = escapeLocalPart(text);
    if (escaped !== undefined && unescapeLocalPart(escaped) !== text)
      throw new Error('Unescaped it is something else.');
  },
};

/** An element to a form, filled in and read, and to a request for a page. */
export const form: Target = {
  run(input) {
    for (const element of readInPieces(Buffer.concat([FORM_STREAM, input])).received) {
      const parsed = throwsOnly(StanzaError, () => DataForm.parse(element));
      throwsOnly(StanzaError, () => parsePageRequest(element));
      if (parsed === undefined) continue;
      const written = parsed.toElement();
      const again = DataForm.parse(written);
      if (!same(treeOf(again.toElement()), treeOf(written))) throw new Error('A form is not what it was written as.');
      throwsOnly(StanzaError, () => readSubmission(parsed, element));
      throwsOnly(StanzaError, () => readSubmission(parsed, written.withAttr('type', 'submit')));
    }
  },
};

const FORM_STREAM = Buffer.from(`<stream:stream xmlns='${NS.dataForms}' xmlns:stream='${NS.streams}'>`);
