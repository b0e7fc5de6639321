import { describe, expect, it } from 'vitest';
import { localPart, NamespaceScope } from './namespace-scope.ts';
import { NS } from './namespaces.ts';

const { root } = NamespaceScope;
/** Attributes as the parser gives them. */
const parsed = (attributes: Record<string, string>) => Object.assign(Object.create(null), attributes);
const enter = (scope: NamespaceScope, attributes: Record<string, string>) => scope.enter(parsed(attributes));

const notWellFormed = expect.objectContaining({ condition: 'not-well-formed' });

describe('NamespaceScope', () => {
  it('is the same one where nothing is declared anew', () => {
    const scope = enter(root, { xmlns: 'urn:a' });
    expect(enter(scope, { id: '1', 'xml:lang': 'en' })).toBe(scope);
    expect(enter(scope, { xmlns: 'urn:a' })).toBe(scope);
  });

  it('finds the innermost declaration of a prefix', () => {
    const outer = enter(root, { 'xmlns:p': 'urn:1', 'xmlns:q': 'urn:q' });
    const inner = enter(enter(outer, { xmlns: 'urn:default' }), { 'xmlns:p': 'urn:2' });
    expect([outer.resolve('p'), inner.resolve('p'), inner.resolve('q')]).toEqual(['urn:1', 'urn:2', 'urn:q']);
    expect(inner.defaultNs).toBe('urn:default');
    expect(enter(inner, { xmlns: '' }).defaultNs).toBe('');
  });

  it('knows the prefix xml, and no other that was not declared', () => {
    expect(root.resolve('xml')).toBe(NS.xml);
    for (const prefix of ['p', 'xmlns', '__proto__', 'constructor', '']) {
      expect(() => root.resolve(prefix)).toThrow(expect.objectContaining({ condition: 'bad-namespace-prefix' }));
    }
  });

  it('takes a prefix by any name', () => {
    const scope = enter(root, { 'xmlns:constructor': 'urn:c', 'xmlns:é': 'urn:e' });
    expect([scope.resolve('constructor'), scope.resolve('é')]).toEqual(['urn:c', 'urn:e']);
  });

  it.each([
    ['nothing behind the prefix', { 'xmlns:p': '' }],
    ['no prefix', { 'xmlns:': 'urn:a' }],
    ['a prefix with a colon', { 'xmlns:p:q': 'urn:a' }],
    ['a prefix that begins with a digit', { 'xmlns:1': 'urn:a' }],
    ['the prefix xmlns', { 'xmlns:xmlns': NS.xmlns }],
    ['the xmlns namespace', { 'xmlns:p': NS.xmlns }],
    ['the xmlns namespace as the default', { xmlns: NS.xmlns }],
    ['the prefix xml for another namespace', { 'xmlns:xml': 'urn:a' }],
    ['another prefix for the xml namespace', { 'xmlns:p': NS.xml }],
    ['the xml namespace as the default', { xmlns: NS.xml }],
  ])('refuses a declaration of %s', (_, attributes) => {
    expect(() => enter(root, attributes)).toThrow(notWellFormed);
  });

  it('takes the declaration of xml that is always true', () => {
    expect(enter(root, { 'xmlns:xml': NS.xml }).resolve('xml')).toBe(NS.xml);
  });

  it('gives attributes their namespaces and leaves declarations out', () => {
    const scope = enter(root, { xmlns: 'urn:default', 'xmlns:p': 'urn:p' });
    const given = parsed({ 'xmlns:p': 'urn:p', a: '1', 'p:a': '2', 'xml:lang': 'en', xmlnsfoo: '3', xmlns: 'urn:x' });
    expect(scope.attributes(given)).toEqual(['a', '1', '{urn:p}a', '2', 'xml:lang', 'en', 'xmlnsfoo', '3']);
  });

  it('refuses an attribute that stands twice by two prefixes', () => {
    const scope = enter(root, { 'xmlns:p': 'urn:p', 'xmlns:q': 'urn:p', 'xmlns:r': 'urn:r' });
    expect(() => scope.attributes(parsed({ 'p:a': '1', 'q:a': '2' }))).toThrow(notWellFormed);
    expect(scope.attributes(parsed({ 'p:a': '1', 'r:a': '2', 'q:b': '3' }))).toHaveLength(6);
  });

  it("does not take an attribute's value for another one's name", () => {
    const scope = enter(root, { 'xmlns:p': 'urn:p' });
    expect(scope.attributes(parsed({ x: '{urn:p}a', 'p:a': '1' }))).toEqual(['x', '{urn:p}a', '{urn:p}a', '1']);
  });
});

describe('localPart', () => {
  it('is what stands behind the colon', () => {
    expect(localPart('stream:features', 6)).toBe('features');
    expect(localPart('a:é', 1)).toBe('é');
  });

  it.each([':a', 'a:', 'a:b:c', 'a::b', 'a:1', 'a:-b', 'a:.b', 'a:·b', 'a:\u0301b', 'a:\u203fb'])(
    'refuses %s',
    (name) => {
      expect(() => localPart(name, name.indexOf(':'))).toThrow(notWellFormed);
    },
  );
});
