import { type FakeAnswer, json } from './fake-upstream-answers.ts';

/** What providers in the field were seen to do at their token endpoint, by name. */

/** How they refuse. */
export const TOKEN_REFUSALS = {
  /** RFC 6749 §5.2 keeps 401 for a client that is not authenticated; several take it for every refusal. */
  invalid_grant_as_401: () => json(401, { error: 'invalid_grant' }),
  invalid_grant_as_401_with_challenge: () => json(401, { error: 'invalid_grant' }, CHALLENGE),
  invalid_grant_as_403: () => json(403, { error: 'invalid_grant' }),
  /** As GitHub refuses everything: only the body says that this is no token. */
  invalid_grant_as_200: () => json(200, { error: 'invalid_grant', error_description: 'it was revoked' }),
  invalid_client_as_200: () => json(200, { error: 'invalid_client' }),
  own_code_as_200: () =>
    json(200, { error: 'bad_refresh_token', error_description: 'The refresh token is incorrect or expired.' }),
  invalid_grant_only_in_the_challenge: () => ({
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="token", error="invalid_grant", error_description="expired"' },
    body: '',
  }),
  invalid_grant_as_html: () => ({
    status: 400,
    headers: { 'content-type': 'text/html' },
    body: '{"error":"invalid_grant"}',
  }),
  invalid_token_as_401: () => json(401, { error: 'invalid_token' }, CHALLENGE),
  invalid_client_beside_a_description_of_the_token: () =>
    json(401, { error: 'invalid_client', error_description: 'The refresh token is invalid' }),
  /** Dex: the token of a session whose person signed in once more, at another device. */
  dex_claimed_token: () =>
    json(400, {
      error: 'invalid_request',
      error_description: 'Refresh token is invalid or has already been claimed by another client.',
    }),
  /** glewlwyd: a token that was revoked. */
  glewlwyd_empty_400: () => ({ status: 400, headers: {}, body: '' }),
  own_code_as_400: () => json(400, { error: 'E4711', error_description: 'request could not be processed' }),
  no_code_as_400: () => json(400, { message: 'Bad Request' }),
  missing_parameter_as_400: () =>
    json(400, { error: 'invalid_request', error_description: 'refresh_token is missing' }),
  html_as_400: () => ({ status: 400, headers: { 'content-type': 'text/html' }, body: '<h1>Bad Request</h1>' }),
  html_as_404: () => ({ status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>Not Found</h1>' }),
} satisfies Record<string, () => FakeAnswer>;

export type TokenRefusal = keyof typeof TOKEN_REFUSALS;

const CHALLENGE = { 'www-authenticate': 'Basic realm="fake"' };

type Members = Record<string, unknown>;

/** What they write into an answer that is good otherwise. `null` here is sent as it is. */
export const TOKEN_HABITS = {
  null_id_token: () => ({ id_token: null }),
  empty_id_token: () => ({ id_token: '' }),
  null_refresh_token: () => ({ refresh_token: null }),
  empty_refresh_token: () => ({ refresh_token: '' }),
  null_scope: () => ({ scope: null }),
  empty_scope: () => ({ scope: '' }),
  scope_as_list: ({ scope }: Members) => ({ scope: String(scope).split(' ') }),
  null_expires_in: () => ({ expires_in: null }),
  expires_in_as_text: ({ expires_in: seconds }: Members) => ({ expires_in: String(seconds) }),
  expires_in_as_words: () => ({ expires_in: 'one hour' }),
  negative_expires_in: () => ({ expires_in: -1 }),
  null_error_beside_it: () => ({ error: null, error_description: '' }),
  no_access_token: () => ({ access_token: undefined }),
  own_token_type: () => ({ token_type: 'urn:example:token' }),
  garbled_id_token: () => ({ id_token: 'not.a.token' }),
  scope_as_number: () => ({ scope: 7 }),
} satisfies Record<string, (members: Members) => Members>;

export type TokenHabit = keyof typeof TOKEN_HABITS;

export function withHabit(members: Members, habit: TokenHabit | undefined): Members {
  return habit === undefined ? members : { ...members, ...TOKEN_HABITS[habit](members) };
}

/** How they tell that a person is in `engineering` and in `contractors`, as claims of that person. */
export const GROUP_FORMS = {
  names: { groups: ['engineering', 'contractors'] },
  /** Oracle: objects; 7 is their id. */
  objects: {
    groups: [
      { id: 7, name: 'contractors' },
      { id: 8, name: 'engineering' },
    ],
  },
  lists_in_a_list: { groups: [['contractors'], ['engineering']] },
  object_among_names: { groups: ['engineering', { name: 'contractors' }] },
  map: { groups: { contractors: true, engineering: true } },
  truth_value: { groups: true },
  /** Zitadel: the roles are the keys, under a claim with a long name. */
  zitadel_roles: {
    groups: null,
    'urn:zitadel:iam:org:project:roles': { contractors: { '4711': 'corp.example' }, engineering: { '4711': 'x' } },
  },
  /** Cognito, for an attribute of its own that a SAML provider filled. */
  cognito_text: { groups: null, 'custom:groups': '[contractors, engineering]' },
  /** OneLogin. */
  onelogin_text: { groups: 'contractors;engineering' },
  numbers: { groups: [1001, 1002] },
  /** Entra ID, for somebody in more than 200: where they could be asked for, by a name that is no longer answered. */
  entra_overage: {
    groups: null,
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.windows.example/tenant/users/alice/getMemberObjects' } },
  },
} satisfies Record<string, Record<string, unknown>>;

export type GroupForm = keyof typeof GROUP_FORMS;
