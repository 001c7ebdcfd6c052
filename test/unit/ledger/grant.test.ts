import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantEntry } from '../../../src/ledger/entry-keys.ts';
import { decodeGrant, encodeGrant, type Grant, UnreadableFormatError } from '../../../src/ledger/grant.ts';
import { decodeGrantHead, isHolder } from '../../../src/ledger/grant-head.ts';
import { createSealing, SealBrokenError } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { anyText, inheritedName } from '../../support/samples/inherited-names.ts';

const newKey = () => new Secret(randomBytes(32).toString('base64url'));
const key = newKey();
const sealing = createSealing([key]);

const base64url = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('base64url'));
const word = fc.oneof(fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,12}$/), inheritedName);
const text = anyText({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const moment = fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 });

const anyConfirmation: fc.Arbitrary<Pick<Grant, 'confirmation' | 'loopback'>> = fc.oneof(
  fc.record({ confirmation: fc.constantFrom('supported', 'required', undefined) }),
  fc.record({
    confirmation: fc.constant('loopback' as const),
    loopback: fc.record({ port: fc.integer({ min: 1024, max: 65_535 }), path: base64url(16) }),
  }),
);

const anyPlainGrant: fc.Arbitrary<Omit<Grant, 'keyName'>> = fc.record({
  id: base64url(16),
  clientId: text,
  challenge: fc.option(base64url(32), { nil: '' }),
  jkt: fc.option(base64url(32), { nil: '' }),
  intervalMs: fc.integer({ min: 1000, max: 60_000 }),
  startedAtMs: moment,
  expiresAtMs: moment,
  keptUntilMs: moment,
  scopes: fc.array(word, { maxLength: 5 }),
  resources: fc.array(fc.webUrl(), { maxLength: 3 }),
  source: fc.oneof(fc.ipV4(), fc.ipV6()),
  userCodeTag: base64url(16),
  publicKey: base64url(32),
  userAgent: fc.option(text, { nil: undefined }),
  deviceLabel: fc.option(text, { nil: undefined }),
  issuer: fc.option(fc.webUrl(), { nil: undefined }),
});

const anyGrant = fc
  .tuple(anyPlainGrant, anyConfirmation)
  .map(([grant, confirmation]): Omit<Grant, 'keyName'> => ({ ...grant, ...confirmation }));

describe('encodeGrant, decodeGrant', () => {
  it('a grant comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(anyGrant, base64url(8), (grant, attempt) => {
        const stored = encodeGrant(attempt, grant, sealing);
        expect(decodeGrant(grant.id, stored, sealing)).toEqual({ ...grant, keyName: sealing.firstKeyName });
        expect(decodeGrantHead(stored)).toMatchObject({ attempt, clientId: grant.clientId, jkt: grant.jkt });
      }),
    );
  });

  it('no character of it can be changed, added or taken away', () => {
    fc.assert(
      fc.property(anyGrant, fc.nat(), fc.constantFrom('x', '', '|', '0'), (grant, at, put) => {
        const stored = encodeGrant('attempt', grant, sealing);
        const index = at % stored.length;
        const changed = stored.slice(0, index) + put + stored.slice(index + 1);
        fc.pre(changed !== stored);
        // A changed key name is one that is not here, which is told apart from a forgery.
        expect(() => decodeGrant(grant.id, changed, sealing)).toThrow(/nobody vouched|no sealing key|under no key/);
      }),
    );
  });

  it('does not open under another id', () => {
    const [grant] = fc.sample(anyGrant, 1);
    const stored = encodeGrant('attempt', grant as Grant, sealing);
    expect(() => decodeGrant('another-id', stored, sealing)).toThrow(SealBrokenError);
  });

  it('is still read under a sealing key that no longer seals', () => {
    const [grant] = fc.sample(anyGrant, 1) as [Grant];
    const stored = encodeGrant('attempt', grant, sealing);
    expect(decodeGrant(grant.id, stored, createSealing([newKey(), key])).keyName).toBe(sealing.firstKeyName);
  });

  it('says so when a newer release wrote it in a format of its own', () => {
    const name = grantEntry('some-id');
    const stored = sealing.vouch(name, `attempt|c|||5000|1|2|${JSON.stringify([2, 'who knows'])}`);
    expect(() => decodeGrant('some-id', stored, sealing)).toThrow(UnreadableFormatError);
  });
});

describe('isHolder: who may poll a grant', () => {
  const started = { clientId: 'tv', challenge: '', jkt: '' };
  it.each([
    ['the client that started it', started, started, true],
    ['another client', started, { ...started, clientId: 'radio' }, false],
    ['with the verifier of its challenge', { ...started, challenge: 'C' }, { ...started, challenge: 'C' }, true],
    ['without the verifier', { ...started, challenge: 'C' }, started, false],
    ['with another verifier', { ...started, challenge: 'C' }, { ...started, challenge: 'D' }, false],
    ['with a verifier, where no challenge was given', started, { ...started, challenge: 'C' }, false],
    ['with the key that it was bound to', { ...started, jkt: 'K' }, { ...started, jkt: 'K' }, true],
    ['without that key', { ...started, jkt: 'K' }, started, false],
    ['with another key', { ...started, jkt: 'K' }, { ...started, jkt: 'L' }, false],
    ['with a key, where none was given: it binds the tokens', started, { ...started, jkt: 'K' }, true],
  ])('%s', (_who, head, holder, isOne) => {
    expect(isHolder(head, holder)).toBe(isOne);
  });
});
