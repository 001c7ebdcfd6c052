import { describe, expect, it } from 'vitest';
import { judgeSignIn, signInDemands } from '../../../src/safeguards/strong-sign-in.ts';

const NOTHING = { acr: [], amr: [] };
const NOW = 1_800_000_000;
const STARTED_MS = (NOW - 30) * 1000;

describe('what a client demands of the sign-in', () => {
  it('is asked of the upstream', () => {
    expect(signInDemands({ prompt: 'login', maxAgeSeconds: 60, acr: ['gold', 'silver'], amr: [] })).toEqual({
      prompt: 'login',
      maxAgeSeconds: 60,
      acrValues: ['gold', 'silver'],
    });
    expect(signInDemands(NOTHING)).toEqual({ prompt: undefined, maxAgeSeconds: undefined, acrValues: undefined });
  });

  it.each([
    [undefined, 'select_account', 'select_account'],
    ['select_account', 'login', 'login'],
    ['consent', undefined, 'consent'],
    ['login', 'select_account', 'login'],
  ])('prompt %s, and the person wishes %s: %s', (prompt, wished, asked) => {
    expect(signInDemands({ ...NOTHING, ...(prompt && { prompt }) }, wished).prompt).toBe(asked);
  });
});

describe('what came back', () => {
  const judge = (demands: object, signIn: object, clockToleranceSeconds = 30) =>
    judgeSignIn({ ...NOTHING, ...demands }, signIn, {
      ...{ grantStartedAtMs: STARTED_MS, nowMs: NOW * 1000, clockToleranceSeconds },
    });
  const STRONG = { verdict: 'strong_enough' };
  const weak = (missing: string) => ({ verdict: 'too_weak', missing });

  it.each<[string, object, object, object]>([
    ['nothing demanded', {}, {}, STRONG],
    ['max_age without auth_time', { maxAgeSeconds: 60 }, {}, weak('auth_time')],
    ['max_age kept', { maxAgeSeconds: 60 }, { authTimeSeconds: NOW - 50 }, STRONG],
    ['max_age kept within a clock’s tolerance', { maxAgeSeconds: 60 }, { authTimeSeconds: NOW - 119 }, STRONG],
    ['max_age exceeded', { maxAgeSeconds: 60 }, { authTimeSeconds: NOW - 121 }, weak('recent_sign_in')],
    ['max_age of 0', { maxAgeSeconds: 0 }, { authTimeSeconds: NOW - 61 }, weak('recent_sign_in')],
    ['prompt=login, signed in since the start', { prompt: 'login' }, { authTimeSeconds: NOW - 5 }, STRONG],
    [
      'prompt=login, signed in this morning',
      { prompt: 'login' },
      { authTimeSeconds: NOW - 9999 },
      weak('recent_sign_in'),
    ],
    ['prompt=login among others', { prompt: 'consent login' }, { authTimeSeconds: NOW - 9999 }, weak('recent_sign_in')],
    ['prompt=login of an upstream that tells no time', { prompt: 'login' }, {}, STRONG],
    ['select_account, signed in this morning', { prompt: 'select_account' }, { authTimeSeconds: NOW - 9999 }, STRONG],
    ['one of the acr', { acr: ['gold', 'silver'] }, { acr: 'silver' }, STRONG],
    ['another acr', { acr: ['gold'] }, { acr: 'golden' }, weak('acr')],
    ['no acr', { acr: ['gold'] }, {}, weak('acr')],
    ['all of the amr', { amr: ['pwd', 'otp'] }, { amr: ['otp', 'pwd', 'mfa'] }, STRONG],
    ['only some of the amr', { amr: ['pwd', 'otp'] }, { amr: ['pwd'] }, weak('amr')],
    ['no amr', { amr: ['mfa'] }, {}, weak('amr')],
    ['one of the amr that are as good', { amr: ['hwk|fido'] }, { amr: ['fido'] }, STRONG],
    ['none of the amr that are as good', { amr: ['hwk|fido'] }, { amr: ['pwd'] }, weak('amr')],
  ])('%s', (_, demands, signIn, verdict) => {
    expect(judge(demands, signIn)).toEqual(verdict);
  });

  it.each([
    ['max_age', { maxAgeSeconds: 60 }, NOW - 60 - 30],
    ['prompt=login', { prompt: 'login' }, STARTED_MS / 1000],
  ])('%s bears as much of an upstream’s clock as clock_tolerance says', (_, demands, latestSeconds) => {
    for (const tolerance of [0, 30, 300]) {
      const signedInAt = (seconds: number) => judge(demands, { authTimeSeconds: seconds }, tolerance);
      expect(signedInAt(latestSeconds - tolerance)).toEqual(STRONG);
      expect(signedInAt(latestSeconds - tolerance - 1)).toEqual(weak('recent_sign_in'));
    }
  });
});
