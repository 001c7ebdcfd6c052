import { beforeAll, describe, expect, it } from 'vitest';
import { dropSigningKey, rotateSigningKeys } from '../../../src/tokens/rotate-signing-keys.ts';
import { makeSigningKey, type SigningKey } from '../../../src/tokens/signing-key-set.ts';
import { createSigningKeys, type SigningKeys } from '../../../src/tokens/signing-keys.ts';
import { NOW_MS, NOW_SECONDS, PUBLIC_URL } from './token-samples.ts';

const MINUTE = 60_000;
let first: SigningKey[];
beforeAll(async () => {
  first = await Promise.all([makeSigningKey('RS256', NOW_MS), makeSigningKey('ES256', NOW_MS)]);
});

const kids = (keys: readonly SigningKey[], alg: string): string[] =>
  keys.filter((key) => key.alg === alg).map((key) => key.kid);

describe('rotation', () => {
  it('appends a key for each alg, which signs when it is run again 10 minutes later', async () => {
    const appended = await rotateSigningKeys(first, NOW_MS);
    expect(appended.keys).toHaveLength(4);
    expect(appended.keys.slice(0, 2)).toEqual(first);
    expect(appended.steps.map(({ step }) => step)).toEqual(['appended', 'appended']);

    const early = await rotateSigningKeys(appended.keys, NOW_MS + 9 * MINUTE);
    expect(early.keys).toEqual(appended.keys);
    expect(early.steps.map(({ step }) => step)).toEqual(['too_early', 'too_early']);

    const promoted = await rotateSigningKeys(early.keys, NOW_MS + 10 * MINUTE);
    expect(promoted.steps.map(({ step }) => step)).toEqual(['promoted', 'promoted']);
    for (const alg of ['RS256', 'ES256']) {
      expect(kids(promoted.keys, alg)).toEqual(kids(appended.keys, alg).toReversed());
    }

    const again = await rotateSigningKeys(promoted.keys, NOW_MS + 20 * MINUTE);
    expect(again.steps.map(({ step }) => step)).toEqual(['appended', 'appended']);
    expect(kids(again.keys, 'RS256')[0]).toBe(kids(promoted.keys, 'RS256')[0]);
  });

  it('takes a key that does not say when it was made for an old one', async () => {
    const unknown = first.map((key) => JSON.parse(JSON.stringify({ ...key, iat: undefined })) as SigningKey);
    const { keys, steps } = await rotateSigningKeys(unknown, NOW_MS);
    expect(steps.map(({ step }) => step)).toEqual(['appended', 'appended']);
    const later = await rotateSigningKeys(keys, NOW_MS + 10 * MINUTE);
    expect(later.steps.map(({ step }) => step)).toEqual(['promoted', 'promoted']);
  });

  it('never lets an old key sign again, however often it is run', async () => {
    let keys = first.filter(({ alg }) => alg === 'ES256');
    const signed: (string | undefined)[] = [];
    for (let run = 0; run < 8; run++) {
      keys = (await rotateSigningKeys(keys, NOW_MS + run * 10 * MINUTE)).keys;
      signed.push(keys[0]?.kid);
    }
    expect(new Set(signed).size).toBe(5);
    expect(keys).toHaveLength(5);
  });

  it('leaves no moment at which a token fails with a JWKS that is up to 10 minutes old', async () => {
    let keys = first.filter(({ alg }) => alg === 'ES256');
    const history: { atMs: number; signingKeys: SigningKeys }[] = [];
    for (let run = 0; run < 5; run++) {
      const atMs = NOW_MS + run * 10 * MINUTE;
      keys = (await rotateSigningKeys(keys, atMs)).keys;
      history.push({ atMs, signingKeys: createSigningKeys({ keys }) });
    }
    const claims = { iss: PUBLIC_URL, sub: 's', aud: 'a', iat: NOW_SECONDS, exp: NOW_SECONDS + 3600 };
    for (const [index, { signingKeys }] of history.entries()) {
      const jwt = (await signingKeys.sign('ES256', 'at+jwt', claims)).reveal();
      for (const seen of history.slice(Math.max(0, index - 1))) {
        const expected = { types: ['at+jwt'], issuers: [PUBLIC_URL], nowMs: NOW_MS };
        expect(await seen.signingKeys.verify(jwt, expected)).toEqual(claims);
      }
    }
  });
});

describe('dropping a key', () => {
  it('removes one that does not sign, and nothing else changes', async () => {
    const { keys } = await rotateSigningKeys(first, NOW_MS);
    const waiting = keys[2]?.kid ?? '';
    const dropped = await dropSigningKey(keys, waiting, NOW_MS);
    expect(dropped).toMatchObject({ outcome: 'dropped', signed: false, signs: first[0]?.kid });
    expect(dropped.outcome === 'dropped' && dropped.keys).toEqual(keys.filter(({ kid }) => kid !== waiting));
  });

  it('lets the newest of the others sign at once when the one that signs is dropped', async () => {
    const { keys } = await rotateSigningKeys(first, NOW_MS);
    const dropped = await dropSigningKey(keys, first[0]?.kid ?? '', NOW_MS);
    expect(dropped).toMatchObject({
      outcome: 'dropped',
      signed: true,
      isNew: false,
      alg: 'RS256',
      signs: keys[2]?.kid,
    });
    expect(dropped.outcome === 'dropped' && kids(dropped.keys, 'RS256')).toEqual([keys[2]?.kid]);
    expect(dropped.outcome === 'dropped' && kids(dropped.keys, 'ES256')).toEqual(kids(keys, 'ES256'));
  });

  it('makes a new one where no other of its alg is left, so that signing goes on', async () => {
    const dropped = await dropSigningKey(first, first[1]?.kid ?? '', NOW_MS);
    expect(dropped).toMatchObject({ outcome: 'dropped', signed: true, isNew: true, alg: 'ES256' });
    const left = dropped.outcome === 'dropped' ? kids(dropped.keys, 'ES256') : [];
    expect(left).toHaveLength(1);
    expect(left).not.toContain(first[1]?.kid);
  });

  it('says so where there is no such key', async () => {
    expect(await dropSigningKey(first, 'nobody', NOW_MS)).toEqual({ outcome: 'unknown' });
  });
});
