import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openIdUpstream } from '../../src/upstream/openid-upstream.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import type { TokenHabit, TokenRefusal } from '../support/upstream/fake-upstream-habits.ts';
import { signInThere } from '../support/upstream/upstream-trip.ts';

/** What an upstream's token endpoint says, and what a device hears of it. */

const HOUR = 60 * 60 * 1000;
const SIGN_IN_AGAIN = { status: 400, body: { error: 'invalid_grant' } };
const COME_AGAIN = { status: 503, body: { error: 'temporarily_unavailable' } };

let test: TestBroker;
/** Brokers by how their client gets its tokens; none of these tests leaves anything behind but time. */
const brokers = new Map<string, TestBroker>();
beforeAll(async () => {
  for (const tokens of ['mint', 'relay']) {
    brokers.set(tokens, await createTestBroker({ yaml: { clients: { 'build-cli': { tokens } } } }));
  }
});
afterAll(() => Promise.all([...brokers.values()].map((broker) => broker.close())));

function use(tokens: string): void {
  test = brokers.get(tokens) as TestBroker;
  test.upstream.behaviour = {};
  test.lines.length = 0;
}
beforeEach(() => use('mint'));

const refresh = (token: string) => test.device().refresh(token);
const isEndedByUpstream = () => test.lines.some(({ event, by }) => event === 'session.ended' && by === 'upstream');

describe('a refresh that the upstream refuses', () => {
  it.each<TokenRefusal>([
    'invalid_grant_as_401',
    'invalid_grant_as_401_with_challenge',
    'invalid_grant_as_403',
    'invalid_grant_as_200',
    'own_code_as_200',
    'invalid_grant_only_in_the_challenge',
    'invalid_grant_as_html',
    'invalid_token_as_401',
    'dex_claimed_token',
  ])('and says why, in whatever way, ends the session at once: %s', async (refuses) => {
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { refresh: { refuses } };
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(isEndedByUpstream()).toBe(true);
    test.upstream.behaviour = {};
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
  });

  const UNCLEAR: TokenRefusal[] = [
    'glewlwyd_empty_400',
    'own_code_as_400',
    'no_code_as_400',
    'missing_parameter_as_400',
    'html_as_400',
  ];
  it.each(UNCLEAR)('with 400 and no reason ends the session when tolerance is over: %s', async (refuses) => {
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { refresh: { refuses } };
    const tolerated = await refresh(token);
    expect(tolerated.status).toBe(200);
    await test.advance(HOUR + 1000);
    expect(await refresh(tolerated.body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
    expect(isEndedByUpstream()).toBe(true);
  });

  it.each(UNCLEAR)('with 400 and no reason, relay: 503 until tolerance is over, then the end: %s', async (refuses) => {
    use('relay');
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { refresh: { refuses } };
    expect(await refresh(token)).toMatchObject(COME_AGAIN);
    await test.advance(HOUR + 1000);
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
  });

  it.each([
    { refuses: 'html_as_404' },
    { refuses: 'invalid_client_beside_a_description_of_the_token' },
    { refuses: 'invalid_client_as_200' },
    { trouble: 'status_500' },
    { trouble: 'status_503' },
    { trouble: 'status_429' },
    { trouble: 'close' },
  ] as const)('for another reason ends nothing, however long it lasts: %j', async (refusal) => {
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { refresh: refusal };
    await test.advance(2 * HOUR);
    expect(await refresh(token)).toMatchObject(COME_AGAIN);
    expect(isEndedByUpstream()).toBe(false);
    test.upstream.behaviour = {};
    expect((await refresh(token)).status).toBe(200);
  });

  it('as Dex does, after the same person signed in at a second device: the first one is told to sign in again', async () => {
    test.upstream.behaviour = { token: { oneRefreshTokenPerPerson: true } };
    const first = await test.signIn();
    const second = await test.signIn();
    expect(await refresh(first.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
    expect((await refresh(second.refresh_token)).status).toBe(200);
  });
});

describe('members that say nothing', () => {
  const REFRESH_HABITS: TokenHabit[] = [
    'null_id_token',
    'empty_id_token',
    'null_scope',
    'empty_scope',
    'scope_as_list',
    'scope_as_number',
    'null_expires_in',
    'expires_in_as_text',
    'expires_in_as_words',
    'negative_expires_in',
    'null_error_beside_it',
  ];

  describe.each(['mint', 'relay'])('%s', (tokens) => {
    beforeEach(() => use(tokens));

    it.each(REFRESH_HABITS)(
      'are absent in the answer to a refresh, and its new refresh token counts: %s',
      async (answers) => {
        const { refresh_token: token } = await test.signIn();
        test.upstream.behaviour = { refresh: { answers } };
        const once = await refresh(token);
        expect([once.status, once.text]).toEqual([200, once.text]);
        // The upstream took the token before and rotated; whoever lost the new one is refused now.
        const again = await refresh(once.body.refresh_token);
        expect([again.status, again.text]).toEqual([200, again.text]);
      },
    );

    it.each<TokenHabit>(['null_refresh_token', 'empty_refresh_token'])(
      'keep the refresh token that was: %s',
      async (answers) => {
        const { refresh_token: token } = await test.signIn();
        test.upstream.behaviour = { token: { keepsRefreshToken: true }, refresh: { answers } };
        test.upstream.requests.length = 0;
        const once = await refresh(token);
        expect(once.status).toBe(200);
        expect((await refresh(once.body.refresh_token)).status).toBe(200);
        const sent = test.upstream.requestsTo('/token').flatMap(({ form }) => form.get('refresh_token') ?? []);
        expect(new Set(sent).size).toBe(1);
      },
    );

    it.each(REFRESH_HABITS.filter((habit) => !habit.endsWith('id_token')))(
      'are absent in the answer to a code: %s',
      async (answers) => {
        test.upstream.behaviour = { token: { answers } };
        expect((await test.signIn()).access_token).toMatch(/./);
      },
    );
  });

  it('a life that was told as text is told to the device as a number', async () => {
    use('relay');
    test.upstream.behaviour = { token: { answers: 'expires_in_as_text' } };
    expect((await test.signIn())['expires_in']).toBeGreaterThan(290);
  });

  it.each<Record<string, unknown>>([
    { auth_time: null, acr: '', azp: null },
    { nbf: null, sid: null },
    { sid: '', name: null, at_hash: '' },
  ])('are absent in an ID token, which is checked as it was signed: %j', async (raw) => {
    test.upstream.behaviour = { idToken: { raw } };
    expect((await test.signIn()).access_token).toMatch(/./);
    test.upstream.behaviour = { idToken: { raw, signature: 'broken' } };
    await expect(test.signIn()).rejects.toThrow(/signature/);
  });

  it.each<Record<string, unknown>>([{ nonce: '' }, { sub: null }, { exp: null }, { aud: '' }, { iss: null }])(
    'never pass for a claim that must be there: %j',
    async (raw) => {
      test.upstream.behaviour = { idToken: { raw } };
      await expect(test.signIn()).rejects.toThrow();
    },
  );

  it('are absent in the metadata', async () => {
    const metadata = { userinfo_endpoint: '', revocation_endpoint: '', scopes_supported: '' };
    const upstream = await startFakeUpstream();
    upstream.behaviour = { discovery: { metadata }, idToken: { claims: { groups: null } } };
    expect((await signInThere(openIdUpstream(upstream.settings(), { clock: Date.now }))).subject).toBe('alice');
    await upstream.close();
  });
});

describe('a refresh token that came with an answer that is no good otherwise', () => {
  it.each<TokenHabit>(['garbled_id_token', 'no_access_token', 'own_token_type'])(
    'counts all the same: %s',
    async (answers) => {
      const { refresh_token: token } = await test.signIn();
      test.upstream.behaviour = { refresh: { answers } };
      const once = await refresh(token);
      expect(once.status).toBe(200);
      test.upstream.behaviour = {};
      expect((await refresh(once.body.refresh_token)).status).toBe(200);
    },
  );

  it.each<TokenHabit>(['garbled_id_token', 'no_access_token'])(
    'counts where nothing can be relayed for it either: 503, and the next refresh asks with it: %s',
    async (answers) => {
      use('relay');
      const first = await test.signIn();
      const second = await refresh(first.refresh_token);
      test.upstream.behaviour = { refresh: { answers } };
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await refresh(second.body.refresh_token)).toMatchObject(COME_AGAIN);
      }
      test.upstream.behaviour = {};
      const third = await refresh(second.body.refresh_token);
      expect(third.status).toBe(200);
      expect((await refresh(third.body.refresh_token)).status).toBe(200);
      // The line of tokens is still one: what is used again later is reuse.
      await test.advance(60_000);
      expect(await refresh(second.body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
    },
  );

  it.each<Record<string, unknown>>([
    { claims: { iss: 'https://other.example.com' } },
    { claims: { exp: 1 } },
    { signature: 'broken' },
  ])('counts beside an ID token that does not check: %j', async (idToken) => {
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { idToken };
    const once = await refresh(token);
    expect(once.status).toBe(200);
    test.upstream.behaviour = {};
    expect((await refresh(once.body.refresh_token)).status).toBe(200);
  });

  it('is not taken from an answer about somebody else: that session ends', async () => {
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { idToken: { claims: { sub: 'mallory' } } };
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(isEndedByUpstream()).toBe(true);
  });
});
