import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SaslError } from '../sasl-error.ts';
import { parseClientFinal, parseClientFirst } from './scram-message.ts';

describe('the first message', () => {
  test('is taken apart', () => {
    expect(parseClientFirst('n,,n=user,r=abc')).toEqual({
      gs2Header: 'n,,',
      binding: 'n',
      authzid: '',
      username: 'user',
      nonce: 'abc',
      bare: 'n=user,r=abc',
    });
    expect(parseClientFirst('p=tls-exporter,a=u=2C=3D@x,n=a=3D=2Cb,r=a+/=,x=y=z')).toEqual({
      gs2Header: 'p=tls-exporter,a=u=2C=3D@x,',
      binding: { type: 'tls-exporter' },
      authzid: 'u,=@x',
      username: 'a=,b',
      nonce: 'a+/=',
      bare: 'n=a=3D=2Cb,r=a+/=,x=y=z',
    });
    expect(parseClientFirst('y,,n=user,r=abc').binding).toBe('y');
    expect(parseClientFirst('n,,n==3D2C,r=abc').username).toBe('=2C');
  });

  test.each([
    '',
    'n',
    'n,,',
    'n,,n=user',
    'n,,n=user,',
    'n,,n=user,r=',
    'n,,n=,r=abc',
    'n,,user,r=abc',
    'n,,r=abc,n=user',
    'N,,n=user,r=abc',
    'x,,n=user,r=abc',
    'p=,,n=user,r=abc',
    'p=a b,,n=user,r=abc',
    'p,,n=user,r=abc',
    'n,a=,n=user,r=abc',
    'n,x,n=user,r=abc',
    'n,,n=us=er,r=abc',
    'n,,n=user=2c,r=abc',
    'n,,n=user=,r=abc',
    'n,,n=us\0er,r=abc',
    'n,,n=user,r=a bc',
    'n,,n=user,r=abc\u00e9',
    'n,,n=user,r=abc,',
    'n,,n=user,r=abc,x',
    'n,,n=user,r=abc,x=',
    'n,,n=user,r=abc,1=2',
    'n,,n=user,r=abc,x=a\0',
    'n,,m=must,n=user,r=abc',
    'n,,n=user,r=abc,m=must',
    ' n,,n=user,r=abc',
  ])('%j is none', (message) => {
    expect(() => parseClientFirst(message)).toThrow(SaslError);
  });
});

describe('the final message', () => {
  test('is taken apart', () => {
    expect(parseClientFinal('c=biws,r=abc,p=AAAA')).toEqual({
      binding: 'biws',
      nonce: 'abc',
      proof: Buffer.alloc(3),
      withoutProof: 'c=biws,r=abc',
    });
    expect(parseClientFinal('c=biws,r=abc,x=y,z=p=1,p=AAAA').withoutProof).toBe('c=biws,r=abc,x=y,z=p=1');
  });

  test.each([
    '',
    'c=biws,r=abc',
    'c=biws,r=abc,',
    'c=biws,p=AAAA',
    'c=biws,p=AAAA,r=abc',
    'r=abc,c=biws,p=AAAA',
    'c=biw,r=abc,p=AAAA',
    'c=biws,r=abc,p=AAA',
    'c=biws,r=abc,p=AB==',
    'c=biws,r=abc,p=AAAA,',
    'c=biws,r=abc,p=AAAA,x=y',
    'c=biws,r=abc,m=must,p=AAAA',
    'c=biws,r=,p=AAAA',
    'c=biws,r=abc,x,p=AAAA',
    'x=biws,r=abc,p=AAAA',
  ])('%j is none', (message) => {
    expect(() => parseClientFinal(message)).toThrow(SaslError);
  });
});

test('any text is refused with a SaslError or is put together again from its parts', () => {
  const unit = fc.constantFrom('n', 'y', 'p', 'r', 'c', 'a', 'm', 'x', '=', ',', 'A', '2C', '3D', '\0', '\u00e9', ' ');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (tail) => {
      for (const [parse, message] of [
        [parseClientFirst, tail],
        [parseClientFirst, `n,,n=u,r=${tail}`],
        [parseClientFinal, tail],
        [parseClientFinal, `c=biws,r=n${tail}`],
      ] as const) {
        try {
          const parsed = parse(message);
          if ('bare' in parsed) expect(parsed.gs2Header + parsed.bare).toBe(message);
          else expect(`${parsed.withoutProof},p=${parsed.proof.toString('base64')}`).toBe(message);
        } catch (error) {
          expect(error).toBeInstanceOf(SaslError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
