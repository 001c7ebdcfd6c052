import type { Schema } from './admin-route.ts';

/** The words of the OpenAPI document: what stands in the answers. A test compares them with answers of a broker. */

const text = (description: string): Schema => ({ type: 'string', description });
const moment = (description: string): Schema => ({ type: 'string', format: 'date-time', description });
const orNull = ({ type, ...rest }: Schema): Schema => ({ type: [type, 'null'], ...rest });
const texts = (description: string): Schema => ({ type: 'array', items: { type: 'string' }, description });
const count = (description: string): Schema => ({ type: 'integer', minimum: 0, description });

/** All members are there, and no others. */
export function objectOf(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  const required = Object.keys(properties);
  return { type: 'object', ...(description !== undefined && { description }), properties, required };
}

export function reference(name: keyof typeof SCHEMAS): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export const NEXT = orNull(
  text('Where the next page begins, to be given as `from`; null at the end. A page may be empty and not the last one.'),
);

const session = objectOf({
  session: text('The id of the device session; the log has its first eight characters'),
  client: text('The client’s id'),
  upstream: text('The upstream’s id'),
  subject: text('The person, as the upstream calls them'),
  account: text('The person, as they were shown'),
  name: orNull(text('What the person calls the device')),
  device_label: orNull(text('What the device calls itself; nobody checked it')),
  user_agent: orNull(text('What the device’s requests named as their maker; nobody checked it')),
  source: text('The address that started it'),
  scopes: texts('What was approved'),
  resources: texts('What the tokens are for (RFC 8707)'),
  signed_in_at: moment('When the person signed in'),
  started_at: moment('When the device got its first tokens'),
  last_used_at: moment('The last refresh, or the start'),
  ends_at: moment('The absolute end'),
  ended: orNull(text('Why it has ended: a reason as in `session.ended` of the log, `client_removed`, or `idle`')),
});

const grant = objectOf({
  grant: text('The id of the grant; the log has its first eight characters'),
  state: {
    type: 'string',
    enum: ['pending', 'approved', 'denied', 'ended', 'expired', 'redeemed'],
    description: '`redeemed`: it became the device session of the same id',
  },
  client: text('The client’s id'),
  device_label: orNull(text('What the device calls itself; nobody checked it')),
  user_agent: orNull(text('What the device’s request named as its maker; nobody checked it')),
  source: text('The address that started it'),
  scopes: texts('What was asked for'),
  resources: texts('What the tokens are to be for (RFC 8707)'),
  started_at: moment('When the device asked'),
  expires_at: moment('The end of its code'),
  opened_elsewhere: { type: 'boolean', description: 'The code was entered in two browsers' },
});

const killMark = objectOf(
  {
    mark: {
      type: 'string',
      enum: ['all', 'client', 'upstream', 'subject', 'source'],
      description: 'What it is about; the members below name it',
    },
    client: orNull(text('The client’s id')),
    upstream: orNull(text('The upstream’s id')),
    subject: orNull(text('The person there, as the upstream calls them')),
    source: orNull(text('The network that devices were started from')),
    before: moment('What was signed in before this does not count any more'),
    set_at: moment('When it was set'),
    in_force: {
      type: 'boolean',
      description: 'false where an outage came before the mark itself was written; then it is to be set again',
    },
    operator: text('Who set it'),
  },
  'It is in force on every replica at once, and cannot be taken back. Of several about the same the newest moment counts.',
);

const upstreamStatus = objectOf({
  id: text('The upstream’s id'),
  display_name: text('What people read'),
  state: { type: 'string', enum: ['up', 'away', 'rejects_us', 'not_asked'], description: 'By its last answer' },
  answered_at: orNull(moment('Its last answer, whatever it said')),
  last_fault: orNull(text('What went wrong last, as `fault` of the log has it')),
  last_fault_at: orNull(moment('When that was')),
});

const status = objectOf(
  {
    public_url: text('The issuer'),
    version: text('Of Gatehouse'),
    at: moment('When this was gathered; it is kept for two seconds'),
    started_at: moment('When this process began; it counts from then on'),
    draining: { type: 'boolean', description: 'It stops' },
    configuration_in_force_since: moment('The last configuration that was taken'),
    configuration_refused_at: orNull(moment('When a newer one was refused, if that is so')),
    storage: text('`memory`, `redis`, or another store’s name'),
    storage_answers: { type: 'boolean', description: 'Whether anybody can sign in' },
    pending_grants: orNull(count('Grants started within one code lifetime')),
    sessions_alive: orNull(count('Device sessions that go on, as of the last whole count')),
    sessions_counted_at: orNull(moment('When that was; each look at the status, and each scrape, counts on')),
    upstreams: { type: 'array', items: { $ref: '#/components/schemas/UpstreamStatus' } },
    sign_ins_per_minute: {
      type: 'array',
      items: { type: 'integer', minimum: 0 },
      description: 'Of the last hour, the oldest minute first',
    },
  },
  'How the process that was asked fares; other replicas fare for themselves.',
);

const reload = objectOf({
  outcome: {
    type: 'string',
    enum: ['ok', 'refused'],
    description: '`refused`: the configuration before stays in force',
  },
  problems: texts('What is wrong, as `file:line:col key: …`'),
});

const error = objectOf({
  error: text('For programs; as in OAuth'),
  error_description: text('For whoever wrote the caller'),
});

const killOrder: Schema = {
  type: 'object',
  description: 'Exactly one of `client`, `upstream`, `source` and `all`, or `upstream` and `subject` together.',
  properties: {
    client: text('A client of the configuration'),
    upstream: text('An upstream of the configuration'),
    subject: text('A person of that upstream, as the upstream calls them'),
    source: text('192.0.2.7, 192.0.2.0/24, or a /64 or /48 of IPv6'),
    all: { type: 'boolean', const: true, description: 'Everybody' },
    before: moment('What was signed in before this; now, unless it is said'),
  },
  minProperties: 1,
  additionalProperties: false,
};

export const SCHEMAS = {
  Session: session,
  Grant: grant,
  KillMark: killMark,
  KillOrder: killOrder,
  UpstreamStatus: upstreamStatus,
  Status: status,
  Reload: reload,
  Error: error,
} as const satisfies Record<string, Schema>;
