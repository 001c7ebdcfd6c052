import { hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hkdf } from '../../../src/sealing/sealing-keys.ts';

it('HKDF answers byte for byte what Node’s own does', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 200 }),
      fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 200 }), fc.uint8Array({ maxLength: 200 })),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.integer({ min: 1, max: 32 }),
      (material, salt, purpose, length) => {
        const expected = Buffer.from(hkdfSync('sha256', material, salt, `gatehouse ${purpose}`, length));
        expect(hkdf(material, salt, purpose, length)).toEqual(expected);
      },
    ),
  );
});

it('answers no more than one hash', () => {
  expect(() => hkdf(randomBytes(32), '', 'anything', 33)).toThrow(RangeError);
});
