import { parseArgs } from 'node:util';
import { CONFIG_OPTION } from '../../config/environment.ts';
import { parseDuration } from '../../config/schema/duration.ts';
import type { DeviceSession } from '../../device-sessions/device-session.ts';
import { type Cidr, contains, parseCidr } from '../../network/cidr.ts';
import { parseIpAddress } from '../../network/ip-address.ts';

/** What `sessions list`, `sessions end` and `end` are asked for. */
export interface SessionFilter {
  client: string | undefined;
  upstream: string | undefined;
  /** Always with `upstream`: a subject means nothing without it. */
  subject: string | undefined;
  source: Cidr | undefined;
  /** As it was typed: a moment, or how long ago; `undefined` for now. */
  before: string | undefined;
  all: boolean;
}

export interface SessionArguments {
  positionals: string[];
  filter: SessionFilter;
  json: boolean;
  config: string | undefined;
  help: boolean;
}

/** The arguments do not say something that can be done; the message says what is missing. */
export class UsageError extends TypeError {
  override readonly name = 'UsageError';
  readonly code = 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
}

export const FILTER_USAGE = `  --client ID       of this client
  --upstream ID     of people of this upstream
  --subject SUB     of this person there (with --upstream)
  --source CIDR     started from these addresses
  --before TIME     before this moment (RFC 3339, or how long ago: 90s, 10m, 12h, 30d); default: now
  --all             of everybody
  --json            for programs
  --config FILE     ${CONFIG_OPTION}
`;

/** @throws {UsageError} */
export function readSessionArguments(argv: readonly string[]): SessionArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      client: { type: 'string' },
      upstream: { type: 'string' },
      subject: { type: 'string' },
      source: { type: 'string' },
      before: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { client, upstream, subject, before, all = false } = values;
  if (subject !== undefined && upstream === undefined) {
    throw new UsageError('--subject needs --upstream: a subject means nothing without the upstream that says it');
  }
  const source = values.source === undefined ? undefined : parseCidr(values.source);
  if (values.source !== undefined && source === undefined) {
    throw new UsageError(`--source ${values.source} is no address or network, such as 192.0.2.7 or 192.0.2.0/24`);
  }
  if (before !== undefined && momentOf(before, 0) === undefined) {
    throw new UsageError(`--before ${before} is no moment (2026-03-01T12:00:00Z) and no duration (2h)`);
  }
  if (all && [client, upstream, subject, source].some((one) => one !== undefined)) {
    throw new UsageError('--all is everything: leave it out, or the others');
  }
  return {
    positionals,
    filter: { client, upstream, subject, source, before, all },
    json: values.json === true,
    config: values.config,
    help: values.help === true,
  };
}

export function isNarrowed({ client, upstream, source, all }: SessionFilter): boolean {
  return all || [client, upstream, source].some((one) => one !== undefined);
}

/** RFC 3339, with or without fractions; without a zone nobody knows which one was meant. */
const MOMENT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch, or `undefined` where the text is neither a moment nor a duration ago. */
export function momentOf(text: string, nowMs: number): number | undefined {
  const seconds = parseDuration(text);
  if (seconds !== undefined) return nowMs - seconds * 1000;
  const parsed = MOMENT.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Whether a session is of what was asked for; when it began is not looked at. */
export function isAbout({ client, upstream, subject, source }: SessionFilter, session: DeviceSession): boolean {
  if (client !== undefined && session.clientId !== client) return false;
  if (upstream !== undefined && session.upstream !== upstream) return false;
  if (subject !== undefined && session.subject !== subject) return false;
  if (source === undefined) return true;
  const address = parseIpAddress(session.source);
  return address !== undefined && contains(source, address);
}
