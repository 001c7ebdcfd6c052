import type { Sealing } from '../sealing/sealing.ts';
import { grantEntry } from './entry-keys.ts';
import { decodeGrantHead, encodeGrantHead, type GrantHead } from './grant-head.ts';

/** What a device asked for: the first entry of a grant, and all that never changes about it. */
export interface Grant extends Omit<GrantHead, 'attempt'> {
  id: string;
  startedAtMs: number;
  scopes: readonly string[];
  resources: readonly string[];
  /** The address that asked. */
  source: string;
  /** Fingerprint of the user code; the index entry is only a hint, this decides. */
  userCodeTag: string;
  /** X25519; the private half is in the device code alone. */
  publicKey: string;
  /** The sealing key that vouches for the grant, and that everything derived for it is derived from. */
  keyName: string;
  userAgent?: string | undefined;
  /** What the device calls itself; nobody checked it. */
  deviceLabel?: string | undefined;
  /** The issuer that the grant was started at, where it is not `public_url` itself. */
  issuer?: string | undefined;
  confirmation?: 'supported' | 'required' | 'loopback' | undefined;
  /** Where the device listens on its own machine, with `loopback`. */
  loopback?: { port: number; path: string } | undefined;
}

const FORMAT = 1;

/**
 * A grant as it is stored: `<head>|<body>|<key name>|<mac>`. The body is a JSON array, since a million pending grants
 * pay for every name in it:
 * `[format, lifetime s, scopes, resources, source, user code tag, public key, user agent, label, issuer, confirmation,
 * port, path]`
 */
export function encodeGrant(attempt: string, grant: Omit<Grant, 'keyName'>, sealing: Sealing): string {
  const body: unknown[] = [
    FORMAT,
    (grant.expiresAtMs - grant.startedAtMs) / 1000,
    grant.scopes.join(' '),
    grant.resources.join(' '),
    grant.source,
    grant.userCodeTag,
    grant.publicKey,
    grant.userAgent ?? '',
    grant.deviceLabel ?? '',
    grant.issuer ?? '',
    grant.confirmation ?? '',
    ...(grant.loopback === undefined ? [] : [grant.loopback.port, grant.loopback.path]),
  ];
  while (body.at(-1) === '') body.pop();
  return sealing.vouch(grantEntry(grant.id), `${encodeGrantHead({ ...grant, attempt })}|${JSON.stringify(body)}`);
}

/**
 * @throws {SealBrokenError} when nobody here wrote it for this id
 * @throws {UnreadableFormatError} when a newer release wrote it
 */
export function decodeGrant(id: string, stored: string, sealing: Sealing): Grant {
  const content = sealing.check(grantEntry(id), stored);
  const { attempt: _, ...head } = decodeGrantHead(content);
  const body = JSON.parse(content.split('|').slice(7).join('|'));
  const [
    format,
    lifetimeSeconds,
    scopes,
    resources,
    source,
    userCodeTag,
    publicKey,
    userAgent,
    label,
    issuer,
    confirmation,
    port,
    path,
  ] = body;
  if (format !== FORMAT) throw new UnreadableFormatError(`grant of format ${format}, this release reads ${FORMAT}`);
  return {
    ...head,
    id,
    startedAtMs: head.expiresAtMs - Math.round(lifetimeSeconds * 1000),
    scopes: words(scopes),
    resources: words(resources),
    source,
    userCodeTag,
    publicKey,
    keyName: stored.slice(content.length + 1, stored.lastIndexOf('|')),
    userAgent: userAgent || undefined,
    deviceLabel: label || undefined,
    issuer: issuer || undefined,
    confirmation: confirmation || undefined,
    loopback: port === undefined ? undefined : { port, path },
  };
}

/** A value that another release wrote in a form that this one does not know. */
export class UnreadableFormatError extends Error {
  override readonly name = 'UnreadableFormatError';
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}
