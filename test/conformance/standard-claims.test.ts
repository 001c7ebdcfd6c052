import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const PERSON = {
  ...{ sub: 'alice', name: 'Alice Adams', given_name: 'Alice', locale: 'nb', picture: 'https://p.example/a.png' },
  ...{ email: 'alice@example.com', email_verified: true, phone_number: '+47 1', address: { country: 'NO' } },
  ...{ groups: ['engineering'], department: 'R&D' },
};
const SCOPES = ['openid', 'profile', 'email', 'phone', 'address', 'offline_access', 'packages:read'];

describe('OpenID Connect Core §5.4: claims that scopes ask for, where the client’s claims are not written', () => {
  let test: TestBroker;
  afterEach(() => test.close());

  const open = async (client: Record<string, unknown> = {}) => {
    const scopes = { allowed: SCOPES, default: ['openid'] };
    test = await createTestBroker({ yaml: { clients: { 'build-cli': { scopes, ...client } } } });
    test.upstream.person = PERSON;
  };
  const said = async (scope: string, refresh?: string) => {
    const first = await test.signIn(test.device(), { start: { scope } });
    const { body: tokens } =
      refresh === undefined ? { body: first } : await test.device().refresh(first.refresh_token, { scope: refresh });
    const userinfo = await test
      .device()
      .send('/userinfo', { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const ofPerson = (claims: Record<string, unknown>) =>
      Object.keys(PERSON)
        .filter((name) => name !== 'sub' && Object.hasOwn(claims, name))
        .sort();
    return {
      idToken: tokens.id_token === undefined ? undefined : ofPerson(decodeJwt(tokens.id_token)),
      userinfo: userinfo.status === 200 ? ofPerson(userinfo.body) : userinfo.status,
      accessToken: ofPerson(decodeJwt(tokens.access_token)),
    };
  };

  it.each<[string, string[]]>([
    ['openid', []],
    ['openid email', ['email', 'email_verified']],
    ['openid profile', ['given_name', 'locale', 'name', 'picture']],
    ['openid phone', ['phone_number']],
    ['openid address', ['address']],
    ['openid packages:read', []],
    ['openid email profile', ['email', 'email_verified', 'given_name', 'locale', 'name', 'picture']],
  ])('%s: into ID token and userinfo, and into no access token', async (scope, claims) => {
    await open();
    expect(await said(scope)).toEqual({ idToken: claims, userinfo: claims, accessToken: [] });
    expect(await said(scope, scope)).toEqual({ idToken: claims, userinfo: claims, accessToken: [] });
  });

  it('without openid nobody is told anything', async () => {
    await open();
    expect(await said('email packages:read')).toEqual({ idToken: undefined, userinfo: 403, accessToken: [] });
  });

  it('a refresh with a narrower scope says less', async () => {
    await open();
    expect(await said('openid email profile', 'openid email')).toMatchObject({
      idToken: ['email', 'email_verified'],
      userinfo: ['email', 'email_verified'],
    });
  });

  it('come from userinfo where the ID token lacks them', async () => {
    await open();
    test.upstream.behaviour = { idToken: { claims: { email: null, email_verified: null, phone_number: null } } };
    expect((await said('openid email phone')).idToken).toEqual(['email', 'email_verified', 'phone_number']);
  });

  it('one that is too long is left out, and the rest is said', async () => {
    await open();
    test.upstream.person = { ...PERSON, picture: `data:image/png;base64,${'A'.repeat(20_000)}` };
    const { body } = await test.device().start({ scope: 'openid profile' });
    expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
    const { body: tokens } = await test.device().poll(body.device_code);
    expect(decodeJwt(tokens.id_token)).toMatchObject({ name: 'Alice Adams' });
    expect(decodeJwt(tokens.id_token)).not.toHaveProperty('picture');
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'upstream.claim', claim: 'picture' }));
  });

  it('claims: [] means none', async () => {
    await open({ claims: [] });
    expect(await said('openid email profile')).toEqual({ idToken: [], userinfo: [], accessToken: [] });
  });

  it('claims that are written are these, whatever the scopes', async () => {
    await open({ claims: { id_token: ['department'], access_token: ['groups'] } });
    expect(await said('openid email')).toEqual({
      idToken: ['department'],
      userinfo: ['department'],
      accessToken: ['groups'],
    });
  });

  it('an ID token beside a relayed access token has them too', async () => {
    await open({ tokens: 'relay' });
    const { id_token: idToken } = await test.signIn(test.device(), { start: { scope: 'openid email' } });
    expect(decodeJwt(idToken)).toMatchObject({ email: 'alice@example.com', email_verified: true });
  });

  it('the metadata name them', async () => {
    await open();
    const { body: metadata } = await test.device().send('/.well-known/openid-configuration');
    expect(metadata['claims_supported']).toEqual(
      expect.arrayContaining(['email', 'email_verified', 'name', 'phone_number']),
    );
  });
});

describe('OpenID Connect Core §5.1: email_verified', () => {
  let test: TestBroker;
  afterEach(() => test.close());

  it.each<[unknown, boolean]>([
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    [null, false],
  ])('travels with email always: the upstream says %j', async (claim, verified) => {
    test = await createTestBroker({ yaml: { clients: { 'build-cli': { claims: ['email'] } } } });
    test.upstream.person = { ...PERSON, email_verified: claim };
    test.upstream.behaviour = { idToken: { claims: { email_verified: claim } } };
    const tokens = await test.signIn();
    for (const token of [tokens.access_token, tokens.id_token]) {
      expect(decodeJwt(token)).toMatchObject({ email: 'alice@example.com', email_verified: verified });
    }
  });

  it.each([
    ['the name', { name: 'Alice Adams' }, 'Alice Adams'],
    ['the subject, where the name looks like an address too', { name: 'ceo@example.com' }, 'alice'],
    ['the subject, where there is no name', { name: null }, 'alice'],
  ])('an unverified address is never shown as the account: it is %s', async (_what, claims, account) => {
    test = await createTestBroker();
    test.upstream.person = { ...PERSON, ...claims, email: 'ceo@example.com', email_verified: false };
    test.upstream.behaviour = { idToken: { claims }, userinfo: { claims } };
    const { body } = await test.device().start();
    expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
    expect(test.lines.find(({ event }) => event === 'grant.approved')?.['account']).toBe(account);
    expect(JSON.stringify(test.lines)).not.toContain('ceo@example.com');
  });
});
