import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { PROTOCOL_CLAIMS } from '../../tokens/copied-claims.ts';
import { networks, origin, resource } from './address-schemas.ts';
import { secret } from './secret-schemas.ts';
import { prompt } from './upstream-schema.ts';
import {
  duration,
  entries,
  expects,
  expectsOneOf,
  filePath,
  list,
  oneOf,
  pattern,
  scope,
  section,
  text,
  yesOrNo,
} from './value-schemas.ts';

const ID_FORM = 'an id of up to 128 characters: a letter or digit first, then also . _ ~ : / @ + -';

export const clientId = () => pattern(/^[A-Za-z0-9][A-Za-z0-9._~:/@+-]{0,127}$/, ID_FORM);

/** A protocol claim from an upstream would let it speak for Gatehouse. */
const claimName = () =>
  text('the name of a claim').refine((name) => !PROTOCOL_CLAIMS.has(name), {
    error: (issue) =>
      `"${String(issue.input)}" is a claim of the protocol, expected a claim that tokens do not set themselves`,
  });

const claimList = () => list(claimName(), 'claim names');

const NO_NETWORK = { everything: 'this is every address, expected networks, or the key left out' };

const PROFILES = ['open', 'standard', 'strict'] as const;

const safeguardOverrides = section({
  profile: oneOf(PROFILES).prefault('standard').describe('Where the other keys begin'),
  arrival: oneOf(['off', 'warn', 'strict']).optional().describe('What a link followed from another site gets'),
  complete: oneOf(['off', 'compare', 'type_suffix', 'type_all'])
    .optional()
    .describe('What the person must do with a code that came prefilled; off also leaves verification_uri_complete out'),
  same_network: oneOf(['off', 'warn', 'require']).optional().describe('Whether device and person share a network'),
  place: oneOf(['off', 'warn'])
    .optional()
    .describe('What a request from another country than the person’s gets; needs geo'),
  initiate_from: networks(NO_NETWORK).optional().describe('Networks from which a device may start'),
  approve_from: networks(NO_NETWORK).optional().describe('Networks from which a person may approve'),
  prompt: prompt().optional().describe('The prompt parameter of the sign-in; wins over the upstream’s'),
  max_age: duration('0s', '365d').optional().describe('How old the sign-in may be; checked by auth_time'),
  acr: list(text('an acr value'), 'acr values').optional().describe('One of these must come back as acr'),
  amr: list(text('an amr value'), 'amr values').optional().describe('All of these must come back in amr'),
  hold: duration('0s', '5m').optional().describe('Time between approval and tokens, with undo'),
  reverse_code: oneOf(['off', 'supported', 'required'])
    .optional()
    .describe('Whether the device must send the four digits that the page shows after approval'),
  local: oneOf(['off', 'offered', 'required'])
    .optional()
    .describe(
      'Whether a browser on the device’s own machine proves that to it; required refuses devices that can send neither that proof nor digits',
    ),
  campaign: oneOf(['off', 'alert', 'suspend'])
    .optional()
    .describe('What happens where one source has many people approve'),
  refresh_network: oneOf(['off', 'warn', 'require'])
    .optional()
    .describe(
      'What happens where the answer to a refresh is asked for again from another network; require ends the session',
    ),
});

const claimValue = () =>
  z
    .union([text('a value'), z.number(), z.boolean()], { error: expects('a text, a number, true or false') })
    .describe('Compared as text');

const domain = () =>
  pattern(/^[^\s@*:/]+\.[^\s@*:/.]+$/, 'a domain such as example.com, without @ and *').transform(
    (written, context) => {
      const ascii = domainToASCII(written);
      if (ascii !== '') return ascii;
      context.issues.push({ code: 'custom', input: written, message: expects('a domain')({ input: written }) });
      return z.NEVER;
    },
  );

const KINDS = ['any_of', 'is', 'matches_domain'] as const;

const condition = section({
  claim: pattern(/^[^\s.]+(\.[^\s.]+)*$/, 'the name of a claim, or a dotted path').describe(
    'name, email and groups as the upstream’s claims say, others by their own name or dotted path',
  ),
  any_of: list(claimValue(), 'values')
    .min(1, { error: nobody })
    .optional()
    .describe('One of these values is the claim, or among its values'),
  is: claimValue().optional().describe('The claim has this value and no other'),
  matches_domain: list(domain(), 'domains')
    .min(1, { error: nobody })
    .optional()
    .describe('The claim is an e-mail address in one of these domains; a domain below one is another'),
}).refine((written) => KINDS.filter((kind) => written[kind] !== undefined).length === 1, {
  error: 'expected exactly one of any_of, is and matches_domain, such as { claim: hd, any_of: [example.com] }',
  when: ({ issues }) => issues.length === 0,
});

const clientSchema = section({
  name: text('a name that people recognise', { longest: 100 }).describe('What people see; never taken from a device'),
  logo: text('an image', { longest: 200_000 })
    .optional()
    .describe('As pages.logo; beside the name where people decide'),
  authentication: oneOf(['none', 'client_secret', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'])
    .optional()
    .describe(
      'client_secret takes Basic or body; default: client_secret with a client_secret, private_key_jwt with a jwks, else none',
    ),
  client_secret: secret().optional().describe('Where a secret authenticates'),
  jwks: section(
    {
      file: filePath().optional().describe('A JWKS file, relative to this one'),
      keys: list(z.record(z.string(), z.unknown(), { error: expects('a public JWK') }), 'public JWKs')
        .optional()
        .describe('Public JWKs, inline'),
    },
    '{ file: PATH } or { keys: [ … ] } with public keys',
  )
    .optional()
    .describe('Public keys, where private_key_jwt authenticates'),
  published: yesOrNo()
    .prefault(false)
    .describe('true names it in /.well-known/gatehouse-profiles, for gatehouse login'),
  start_without_secret: yesOrNo()
    .prefault(false)
    .describe('true lets a client with a secret start a grant without it, as golang.org/x/oauth2 does'),
  grant_types: list(oneOf(['device_code', 'refresh_token']), 'device_code and refresh_token')
    .prefault(['device_code', 'refresh_token'])
    .describe('What the client may ask the token endpoint for'),
  upstreams: list(text('the id of an upstream'), 'upstream ids')
    .optional()
    .describe('Where its people sign in; default: all; more than one: the person chooses'),
  tokens: oneOf(['mint', 'relay']).prefault('mint').describe('Gatehouse’s own tokens, or the upstream’s as they came'),
  relay_id_token: yesOrNo()
    .prefault(false)
    .describe('With relay: the upstream’s own ID token, whose audience is Gatehouse’s client there'),
  id_token_on_refresh: yesOrNo()
    .prefault(true)
    .describe('false leaves the ID token out of refreshed answers (OIDC Core §12.2), which spares its signature'),
  scopes: section({
    allowed: list(scope(), 'scopes')
      .prefault(['openid', 'profile', 'email', 'offline_access'])
      .describe('What the client may ask for'),
    default: list(scope(), 'scopes')
      .optional()
      .describe('What it gets when it asks for none; default: openid, if allowed'),
  })
    .prefault({})
    .describe('OAuth scopes'),
  resources: list(resource(), 'absolute URIs')
    .prefault([])
    .describe('RFC 8707; the first is the default audience; none: public_url'),
  claims: z
    .union(
      [
        claimList(),
        section({
          id_token: claimList().prefault([]).describe('Into ID token and userinfo'),
          access_token: claimList().prefault([]).describe('Into the access token'),
        }),
      ],
      { error: expects('a list of claim names, or { id_token: […], access_token: […] }') },
    )
    .optional()
    .describe(
      'Upstream claims that are copied into ID token, userinfo and access token, whatever the scopes; the confirm page names them; default: the granted standard scopes bring theirs into ID token and userinfo; []: none',
    ),
  signing_alg: oneOf(['RS256', 'ES256']).prefault('RS256').describe('What signs its tokens'),
  access_token_type: oneOf(['at+jwt', 'JWT'])
    .prefault('at+jwt')
    .describe('The typ of its access tokens; JWT for verifiers that refuse at+jwt: they must check aud'),
  subject: oneOf(['prefixed', 'plain'])
    .prefault('prefixed')
    .describe('sub is upstream|subject, or the upstream’s subject as it is: for clients of one upstream'),
  refresh_tokens: oneOf(['always', 'never', 'offline_access'])
    .optional()
    .describe('default: always; offline_access: only when that scope is granted'),
  approvers: section({
    groups: list(text('a group'), 'groups').min(1, { error: nobody }).optional().describe('Members may approve'),
    subjects: list(text('a subject', { longest: 255 }), 'subjects')
      .min(1, { error: nobody })
      .optional()
      .describe('These upstream subjects may approve'),
    upstreams: list(text('the id of an upstream'), 'upstream ids')
      .min(1, { error: nobody })
      .optional()
      .describe('Who signed in at one of these may approve'),
    deny_groups: list(text('a group'), 'groups').optional().describe('Members may not approve, whatever else they are'),
    require: list(condition, 'conditions such as { claim: hd, any_of: [example.com] }')
      .optional()
      .describe('Conditions on claims, all of which must hold; a claim that is missing is never a yes'),
  })
    .prefault({})
    .describe('Who may approve; a key that is left out does not restrict'),
  lifetimes: section({
    code: duration('5s', '30m').prefault('10m').describe('Of device code and user code'),
    access_token: duration('1s', '24h').prefault('10m').describe('Of minted access tokens and ID tokens'),
    refresh_idle: duration('1s', '400d')
      .optional()
      .describe('A device session ends when unused for this long; default: 30d'),
    refresh_absolute: duration('1s', '400d')
      .prefault('90d')
      .describe('A device session ends this long after its start'),
  })
    .prefault({})
    .describe('Durations'),
  interval: duration('1s', '60s').prefault('5s').describe('Least time between polls (RFC 8628 §3.2)'),
  origins: list(origin(), 'origins').prefault([]).describe('CORS, for devices whose apps are web pages'),
  require: list(oneOf(['pkce', 'dpop']), 'pkce and dpop')
    .prefault([])
    .describe('What a start must bring'),
  redelivery: duration('0s', '30s').prefault('0s').describe('The same answer again for a device that lost it'),
  refresh_grace: duration('0s', '10m')
    .prefault('30s')
    .describe('How long a device that lost the answer to a refresh may ask again with the old token'),
  end_on_logout: yesOrNo().prefault(true).describe('The upstream’s back-channel logout ends its device sessions'),
  safeguards: z
    .union([oneOf(PROFILES), safeguardOverrides], {
      error: expectsOneOf(PROFILES, ', or a section such as { profile: standard, arrival: strict }'),
    })
    .prefault('standard')
    .describe('Against phishing: a profile, or a profile and what differs from it'),
});

function nobody(): string {
  return 'found an empty list, so nobody could approve; leave the key out where it should not restrict';
}

export const clientsSchema = entries(clientId(), clientSchema, 'a section with one entry per client').describe(
  'The device clients, by client_id',
);

export type ClientSection = z.output<typeof clientSchema>;
