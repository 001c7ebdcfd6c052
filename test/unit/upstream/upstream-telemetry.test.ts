import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import type { Upstream } from '../../../src/upstream/upstream.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/upstream/fake-upstream.ts';
import { faultOf, signInThere } from '../../support/upstream/upstream-trip.ts';

let fake: FakeUpstream;
let upstream: Upstream;
let nowMs: number;
let measured: string[];
let events: { name: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  fake = await startFakeUpstream();
  nowMs = Date.now();
  measured = [];
  events = [];
  upstream = openIdUpstream(fake.settings(), {
    clock: () => nowMs,
    timeoutMs: 5000,
    metrics: { upstreamAnswered: (id, step, outcome) => measured.push(`${id} ${step} ${outcome}`) },
    logger: { event: (name, fields = {}) => events.push({ name, fields }) },
  });
});
afterEach(() => fake.close());

describe('metrics', () => {
  it('count every step that the upstream had a part in', async () => {
    fake.behaviour = { idToken: { claims: { groups: null } } };
    const { tokens } = await signInThere(upstream);
    const refreshToken = tokens.refreshToken ?? new Secret('');
    await upstream.revoke(refreshToken, 'refresh_token');
    await faultOf(upstream.refresh(refreshToken));
    expect(measured).toEqual([
      'corp discovery ok',
      'corp token ok',
      'corp userinfo ok',
      'corp revoke ok',
      'corp refresh invalid_grant',
    ]);
  });

  it('do not count what only a browser said', async () => {
    fake.behaviour = { authorize: { error: 'access_denied' } };
    await faultOf(signInThere(upstream));
    expect(measured).toEqual(['corp discovery ok']);
  });
});

describe('the log', () => {
  it('tells when stale metadata is used', async () => {
    await signInThere(upstream);
    nowMs += 2 * 3600_000;
    fake.behaviour = { discovery: { trouble: 'status_503' } };
    await faultOf(upstream.verifyLogoutToken('x'));
    expect(events).toEqual([
      {
        name: 'upstream.unavailable',
        fields: { upstream: 'corp', fault: 'unavailable', detail: expect.stringContaining('503') },
      },
    ]);
  });

  it('does not complain that an upstream has no revocation endpoint', async () => {
    fake.behaviour = { discovery: { metadata: { revocation_endpoint: null } } };
    expect(await upstream.revoke(new Secret('a-refresh-token'), 'refresh_token')).toBe(false);
    expect(events).toEqual([]);
  });

  it('tells when userinfo refuses, once a sign-in, with what it means', async () => {
    fake.behaviour = {
      idToken: { claims: { groups: null } },
      userinfo: { fault: { error: 'invalid_token', status: 403 } },
    };
    await signInThere(upstream);
    expect(events.map(({ name }) => name)).toEqual(['upstream.rejected']);
    expect(events[0]?.fields['detail']).toContain('only the ID token’s claims are used');
  });
});
