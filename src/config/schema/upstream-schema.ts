import { z } from 'zod';
import { proxy, webAddress, webOrigin } from './address-schemas.ts';
import { assertionKey, secret } from './secret-schemas.ts';
import {
  duration,
  entries,
  expects,
  found,
  list,
  oneOf,
  pattern,
  scope,
  section,
  text,
  yesOrNo,
} from './value-schemas.ts';

const ID_FORM = 'an id of up to 32 characters from a-z, 0-9 and -';

/** It is a part of the callback's path and of `sub`. */
export const upstreamId = () => pattern(/^[a-z0-9][a-z0-9-]{0,31}$/, ID_FORM);

/** What the adapter sets by itself for every sign-in, or what has a key of its own here. */
const OWN_PARAMETERS = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
];
const KEYS_OF_THEIR_OWN = ['prompt', 'max_age', 'acr_values', 'response_mode'];

const parameterName = () =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,100}$/, { error: expects('the name of a parameter') })
    .refine((name) => !OWN_PARAMETERS.includes(name), {
      error: (issue) => `${String(issue.input)} is set by Gatehouse for every sign-in, expected another parameter`,
    })
    .refine((name) => !KEYS_OF_THEIR_OWN.includes(name), {
      error: (issue) =>
        `${String(issue.input)} has a key of its own beside authorization_parameters, expected it there`,
    });

const claimPath = () =>
  pattern(/^[^\s.]+(\.[^\s.]+)*$/, 'the name of a claim, or a dotted path such as realm_access.roles');

/** Where groups are not simply a list of names. */
const groupsSection = section({
  from: claimPath().prefault('groups').describe('The claim that has them'),
  keys: yesOrNo().prefault(false).describe('The names are the keys of a map, as Zitadel writes it'),
  member: claimPath().optional().describe('Of groups that come as objects, the member that has the name'),
  separator: text('what stands between two groups', { longest: 10 })
    .optional()
    .describe('Of groups that come as one text, what stands between them'),
  only: list(text('a group, with * for any characters'), 'groups')
    .optional()
    .describe('Those that go into tokens; approvers look at all of them'),
});

/** `none` would mean: no sign-in page at all, so nobody could ever sign in. */
export const prompt = () =>
  pattern(/^(?!.*\bnone\b)[a-z_]+( [a-z_]+)*$/, 'a prompt that shows a page, such as login, consent or select_account');

const DOCUMENT = /\/?\.well-known\/(openid-configuration|oauth-authorization-server)\/?$/;

/** A pasted address of the document would only be found by `--probe`, as one where nothing is published. */
const issuer = () =>
  webAddress({ query: false }).superRefine((written, context) => {
    if (!DOCUMENT.test(written)) return;
    const message =
      `${found(written)}, expected the issuer that this document names, ` +
      `most often ${written.replace(DOCUMENT, '')}`;
    context.addIssue({ code: 'custom', message });
  });

const stated = (what: string) => webAddress({ query: true }).optional().describe(what);

/** How an upstream is reached, where that is not simply at the addresses that its document names. */
const reach = {
  back_channel: webOrigin()
    .optional()
    .describe(
      'Origin that Gatehouse calls in place of the public one; people’s browsers go to the public one all the same',
    ),
  endpoints: section({
    discovery: stated('The provider’s document, where it is not at its issuer'),
    token: stated('In place of token_endpoint'),
    userinfo: stated('In place of userinfo_endpoint'),
    jwks: stated('In place of jwks_uri'),
    revocation: stated('In place of revocation_endpoint'),
    end_session: stated('In place of end_session_endpoint; people’s browsers go there'),
  })
    .prefault({})
    .describe('Addresses in place of those that the provider’s document names'),
  ca: secret()
    .optional()
    .describe('Certificates in PEM that may vouch for this upstream; default: the system’s, and NODE_EXTRA_CA_CERTS'),
  proxy: proxy()
    .optional()
    .describe('The proxy that this upstream is reached over, or none; default: the one at the top'),
  timeout: duration('1s', '60s').prefault('10s').describe('How long one operation there may take in all'),
  clock_tolerance: duration('0s', '5m').prefault('30s').describe('How far this upstream’s clock may be from ours'),
  allow_private_addresses: yesOrNo()
    .prefault(true)
    .describe('false refuses to call private addresses, also where a name leads to one'),
};

const upstreamSchema = section({
  display_name: text('a name').optional().describe('What people read on the sign-in page; default: the id'),
  issuer: issuer().describe('Exactly as the provider writes it in its discovery document'),
  client_id: text('the client id that this provider gave to Gatehouse').describe('Gatehouse’s client id there'),
  client_secret: secret().optional().describe('Where authentication is client_secret_basic or client_secret_post'),
  private_key: assertionKey(
    oneOf(['issuer', 'token_endpoint'])
      .prefault('issuer')
      .describe(
        'Whom our assertions are for; token_endpoint where the provider takes its own address only, as Okta does',
      ),
    yesOrNo()
      .prefault(false)
      .describe('true names the key by its certificate, as Entra ID wants; the certificate stands beside the key'),
  )
    .optional()
    .describe('A private key as PEM or JWK, where authentication is private_key_jwt'),
  encryption_key: secret()
    .optional()
    .describe('A private key as PEM or JWK, or a set of JWKs, where this provider encrypts ID tokens or userinfo'),
  authentication: oneOf(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional()
    .describe(
      'How Gatehouse authenticates there; default: client_secret_basic with a client_secret, private_key_jwt with a private_key, else none',
    ),
  scopes: list(scope(), 'scopes')
    .prefault(['openid', 'profile', 'email'])
    .describe('What is asked for at each sign-in'),
  claims: section({
    subject: claimPath().prefault('sub').describe('Who it is; must never change for one account'),
    name: claimPath().prefault('name').describe('Shown to the person'),
    email: claimPath().prefault('email').describe('Shown to the person; never an identity'),
    groups: z
      .union([claimPath(), groupsSection], {
        error: expects('the name of a claim, or { from: CLAIM, keys, member, separator, only }'),
      })
      .prefault('groups')
      .describe('What approvers and deny_groups look at'),
  })
    .prefault({})
    .describe('Where this upstream keeps them: a dotted path into the ID token, then into userinfo'),
  groups_overage: oneOf(['off', 'graph'])
    .prefault('off')
    .describe('graph: asks Microsoft Graph, with the person’s token, for groups that Entra ID left out as too many'),
  prompt: prompt().optional().describe('The prompt parameter of each sign-in'),
  max_age: duration('0s', '365d').optional().describe('How old a sign-in there may be; checked by auth_time'),
  acr_values: z
    .union([text('an acr value'), list(text('an acr value'), 'acr values')], { error: expects('acr values') })
    .optional()
    .describe('Which authentication contexts to ask for'),
  response_mode: oneOf(['query', 'form_post'])
    .prefault('query')
    .describe(
      'How its answer to a sign-in comes; form_post only for a provider that answers in no other way, as Apple',
    ),
  authorization_parameters: entries(parameterName(), text('a text', { longest: 2000 }), 'a section of parameters')
    .prefault({})
    .describe('Further parameters of the authorization request'),
  tolerance: duration('0s', '30d')
    .prefault('1h')
    .describe('How long minted sessions refresh while this upstream is away'),
  ...reach,
  userinfo: oneOf(['auto', 'never', 'always'])
    .prefault('auto')
    .describe('auto: asked for what the ID token lacks; its failure fails a sign-in only where approvers need a claim'),
  front_channel_logout: z
    .union([yesOrNo(), oneOf(['sid_only'])], { error: expects('true, false or sid_only') })
    .prefault(false)
    .describe(
      'Whether a browser may tell that a session there has ended; sid_only where that comes without iss, as from Entra ID',
    ),
  offline_access: oneOf(['auto', 'always', 'never'])
    .prefault('auto')
    .describe('Whether that scope is asked for where refresh tokens are wanted; auto: where it is offered and needed'),
  unchecked_session: duration('1m', '400d')
    .prefault('12h')
    .describe('How long a device session lives whose upstream gave no refresh token, so that nobody can be asked'),
  recheck: duration('0s', '1h')
    .prefault('0s')
    .describe('How long its last answer about an account is good for refreshes of minted tokens; 0s asks at each'),
});

export const upstreamsSchema = entries(upstreamId(), upstreamSchema, 'a section with one entry per upstream')
  .refine((all) => Object.keys(all).length > 0, { error: 'found no upstream, expected at least one' })
  .describe('The OpenID providers that people sign in at, by id');

export type UpstreamSection = z.output<typeof upstreamSchema>;
