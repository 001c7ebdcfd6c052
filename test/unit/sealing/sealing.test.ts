import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { base64url, CompactEncrypt, compactDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { encryptCompact } from '../../../src/sealing/compact-jwe.ts';
import { createSealing, equalTexts, SealBrokenError } from '../../../src/sealing/sealing.ts';
import { SealingKeyMissingError, sealingKey } from '../../../src/sealing/sealing-keys.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { anyJson, anyText } from '../../support/samples/inherited-names.ts';

const newKey = () => new Secret(randomBytes(32).toString('base64url'));
const key = newKey();
const sealing = createSealing([key]);
const capability = new Secret('what only the device has');

describe('seal and open', () => {
  it('JSON comes back as it was, under the same context and capability', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson(), anyText({ unit: 'grapheme' }), fc.boolean(), async (content, context, bound) => {
        const with_ = bound ? capability : undefined;
        const sealed = await sealing.seal(content, context, with_);
        expect(await sealing.open(sealed, context, with_)).toEqual(content);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, string, Secret | undefined, Secret | undefined]>([
    ['under another context', 'grant B', undefined, undefined],
    ['without the capability', 'grant A', capability, undefined],
    ['with another capability', 'grant A', capability, new Secret('a guess')],
    ['with an empty capability', 'grant A', capability, new Secret('')],
    ['with a capability where it was sealed without', 'grant A', undefined, capability],
  ])('does not open %s', async (_how, context, sealedWith, openedWith) => {
    const sealed = await sealing.seal('secret', 'grant A', sealedWith);
    await expect(sealing.open(sealed, context, openedWith)).rejects.toThrow(SealBrokenError);
  });

  it('opens under a key that no longer seals, and tells a missing key apart from a forgery', async () => {
    const sealed = await sealing.seal('secret', 'grant A');
    const rotated = createSealing([newKey(), key]);
    expect(await rotated.open(sealed, 'grant A')).toBe('secret');
    await expect(createSealing([newKey()]).open(sealed, 'grant A')).rejects.toThrow(SealingKeyMissingError);
  });

  it('opens nothing that was changed in any character', async () => {
    const sealed = await sealing.seal({ decision: 'denied' }, 'grant A');
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom('A', '_', '.', ''), async (index, put) => {
        const changed = sealed.slice(0, index) + put + sealed.slice(index + 1);
        fc.pre(changed !== sealed && !isSameEncoding(changed, sealed));
        const outcome = await sealing.open(changed, 'grant A').catch((error: unknown) => error);
        expect(outcome instanceof SealBrokenError || outcome instanceof SealingKeyMissingError).toBe(true);
      }),
    );
  });

  it.each(['', 'x', '....', 'a.b.c.d.e', '{}', 'null', 'eyJhbGciOiJub25lIn0.e30.'])(
    'does not open %j',
    async (garbage) => {
      await expect(sealing.open(garbage, 'grant A')).rejects.toThrow(SealBrokenError);
    },
  );

  describe('is opened as nothing but a `dir` value with A256GCM, though the key would fit', () => {
    const contentKey = sealingKey(key).derive('seal', 'grant A');
    const header = { kid: sealing.firstKeyName, ctx: 'grant A' };

    it('opens where the header is right', async () => {
      expect(await sealing.open(encryptCompact('"facts"', { alg: 'dir', ...header }, contentKey), 'grant A')).toBe(
        'facts',
      );
    });

    it.each([
      ['another algorithm', { alg: 'A256KW', ...header }],
      ['compression', { alg: 'dir', zip: 'DEF', ...header }],
      ['an extension that must be understood', { alg: 'dir', crit: ['exp'], ...header }],
    ])('not with %s', async (_, forged) => {
      const sealed = encryptCompact('"facts"', forged, contentKey);
      await expect(sealing.open(sealed, 'grant A')).rejects.toThrow(SealBrokenError);
    });

    it('not with another encryption, nor with none', async () => {
      const short = new CompactEncrypt(new TextEncoder().encode('"facts"'));
      const weak = await short
        .setProtectedHeader({ alg: 'dir', enc: 'A128GCM', ...header })
        .encrypt(contentKey.subarray(0, 16));
      await expect(sealing.open(weak, 'grant A')).rejects.toThrow(SealBrokenError);
      const plain = `${base64url.encode(JSON.stringify({ alg: 'none', ...header }))}..${base64url.encode('"facts"')}..`;
      await expect(sealing.open(plain, 'grant A')).rejects.toThrow(SealBrokenError);
    });

    it('jose opens what we seal, and we open what jose seals', async () => {
      const { plaintext } = await compactDecrypt(await sealing.seal({ a: 'ä' }, 'grant A'), contentKey);
      expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ a: 'ä' });
      const direct = new CompactEncrypt(new TextEncoder().encode('{"a":"ä"}'));
      const sealed = await direct.setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...header }).encrypt(contentKey);
      expect(await sealing.open(sealed, 'grant A')).toEqual({ a: 'ä' });
    });
  });

  it('two seals of the same are different', async () => {
    expect(await sealing.seal('a', 'x')).not.toBe(await sealing.seal('a', 'x'));
  });
});

/** The last character of a part may have bits that mean nothing. */
function isSameEncoding(left: string, right: string): boolean {
  const bytes = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return bytes(left).join('.') === bytes(right).join('.');
}

describe('vouch and check', () => {
  it('a text comes back as it was, under its own name', () => {
    fc.assert(
      fc.property(anyText({ unit: 'grapheme' }), anyText(), (content, name) => {
        expect(sealing.check(name, sealing.vouch(name, content))).toBe(content);
      }),
    );
  });

  it.each<[string, (vouched: string) => string]>([
    ['changed', (vouched) => vouched.replace('denied', 'approved')],
    ['longer', (vouched) => `x${vouched}`],
    ['cut off', (vouched) => vouched.slice(0, -1)],
    ['without its MAC', () => 'denied'],
    ['with an empty MAC', (vouched) => vouched.slice(0, vouched.lastIndexOf('|') + 1)],
    ['empty', () => ''],
  ])('does not stand for what is %s', (_what, change) => {
    expect(() => sealing.check('ended', change(sealing.vouch('ended', 'denied')))).toThrow(SealBrokenError);
  });

  it('does not stand under another name', () => {
    expect(() => sealing.check('spent', sealing.vouch('ended', 'x'))).toThrow(SealBrokenError);
  });

  it('is checked under older keys too, and says when the key is not here', () => {
    const vouched = sealing.vouch('ended', 'x');
    expect(createSealing([newKey(), key]).check('ended', vouched)).toBe('x');
    expect(() => createSealing([newKey()]).check('ended', vouched)).toThrow(SealingKeyMissingError);
  });
});

describe('tags and derived bytes', () => {
  it('a tag depends on the key, on what it is for, and on the text', () => {
    const other = createSealing([newKey()]);
    const tags = [
      sealing.tag('user code', 'WDJBMJHT'),
      sealing.tag('user code', 'WDJBMJHX'),
      sealing.tag('trip', 'WDJBMJHT'),
      other.tag('user code', 'WDJBMJHT'),
    ];
    expect(new Set(tags).size).toBe(4);
    expect(tags.every((tag) => /^[\w-]{22}$/.test(tag))).toBe(true);
  });

  it('what was tagged under an older key is still found', () => {
    const rotated = createSealing([newKey(), key]);
    expect(rotated.tags('user code', 'X')).toContain(sealing.tag('user code', 'X'));
    expect(rotated.tags('user code', 'X')[0]).toBe(rotated.tag('user code', 'X'));
  });

  it('derives the same on every replica that has the key, and differs by secret, purpose and key', () => {
    const derived = (at = sealing, purpose = 'jti', secret = 'code') =>
      at.derive(at.firstKeyName, purpose, new Secret(secret), 16).toString('hex');
    expect(derived(createSealing([key]))).toBe(derived());
    const others = [derived(createSealing([newKey()])), derived(sealing, 'refresh'), derived(sealing, 'jti', 'other')];
    expect(new Set([derived(), ...others]).size).toBe(4);
    expect(() => sealing.derive('nobody', 'jti', new Secret('code'))).toThrow(SealingKeyMissingError);
  });

  it('needs keys, of 32 bytes each', () => {
    expect(() => createSealing([])).toThrow(/at least one key/);
    expect(() => createSealing([new Secret('short')])).toThrow(/32 bytes/);
  });
});

describe('Secret', () => {
  it.each<[string, (secret: Secret) => string]>([
    ['a template', (secret) => `${String(secret)}`],
    ['JSON', (secret) => JSON.stringify({ secret })],
    ['inspect', (secret) => inspect({ secret }, { depth: 9, showHidden: true })],
    ['an error', (secret) => String(new Error(String(secret)))],
    ['its keys', (secret) => JSON.stringify(Object.entries(secret))],
  ])('does not show in %s', (_where, print) => {
    expect(print(new Secret('hunter2'))).not.toContain('hunter2');
  });
});

describe('equalTexts', () => {
  it.each([
    ['', '', true],
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'aa', false],
    ['é', 'e', false],
  ])('%j and %j: %s', (left, right, isSame) => {
    expect(equalTexts(left, right)).toBe(isSame);
  });
});
