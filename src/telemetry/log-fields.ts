/**
 * What a field means wherever it stands. `grant` and `code` are short HMAC tags, never the codes themselves;
 * nothing here is ever a code, a token, a cookie, a secret or a body.
 */
export const LOG_FIELDS = {
  account: 'what the person was shown as their account',
  before: 'sign-ins before this moment do not count any more',
  by: 'who decided or ended: `person`, `upstream`, `policy`, `administrator`, `client`, `reuse`, `replay`, `logout`, `refused_wishes`, `other_network`, `lost`',
  claim: 'the name of a claim, as the configuration has it',
  client: 'the registered client’s id',
  code: 'a short HMAC tag of a user code; the same in all lines about that code',
  confirmation: 'how the device showed that the person is at it: `loopback` or `digits`',
  count: 'how many; in a line of what strangers send without end, how many more there were like it',
  detail: 'the cause in our own words; for this log only',
  error: 'name, code, message and causes of an error',
  fault: 'what kind of upstream trouble: one of the port’s `UpstreamFault`',
  file: 'a file of the configuration',
  firstSource: 'the address that a refresh was first answered at',
  grant: 'a short tag of the grant; the same in all its lines',
  limit: 'the name of a limit in the configuration',
  method: 'HTTP method',
  oauthError: 'the error code that the device was given',
  operator:
    'who ended or called: of a command the user of the operating system and host; of the admin API `token`, or `upstream|subject`',
  outcome: 'what the answer was',
  pid: 'process id',
  place: 'where `geo` places `source`: `country` (ISO 3166-1), `city` and `network`, as far as they are known',
  problems: 'problems of the configuration, as `file:line:col key: …`',
  publicUrl: 'the issuer',
  purpose: 'what a trip to the upstream is for: `approve`, `manage` or `enter`',
  reason: 'why, as one word',
  requestId: 'the `X-Request-Id` of the answer, which problem pages show as the reference',
  requesterPlace: 'the same for the address that the device asked from',
  route: 'the route as in the list of routes, without anything that the caller chose',
  scopes: 'granted or asked scopes, as a list',
  seconds: 'a duration',
  session: 'a short tag of a device session',
  since: 'when the first of `count` was',
  signal: 'the names of phishing signals that raised a warning',
  source: 'the peer’s address as `trusted_proxies` lets us know it',
  status: 'HTTP status',
  storage: '`memory` or `redis`',
  subject: 'the upstream’s identifier of the person',
  upstream: 'the upstream’s id in the configuration',
  verb: 'a verb of the storage contract',
  version: 'Gatehouse’s version',
} as const;

export type LogField = keyof typeof LOG_FIELDS;
