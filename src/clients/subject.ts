import { createHash } from 'node:crypto';
import type { RegisteredClient } from './registered-client.ts';

/** OpenID Connect Core §2: `sub` has at most 255 ASCII characters. */
const MAX_SUBJECT = 255;

/**
 * The `sub` of our tokens. Subjects are unique within their upstream only, so the upstream's id stands before it unless
 * the client's configuration says otherwise. A hash takes the place of the whole: it has no `|`, so nobody at an
 * upstream can be given a subject that reads like the hash of another's.
 */
export function subjectOf(
  client: Pick<RegisteredClient, 'subject'>,
  at: { upstream: string; subject: string },
): string {
  if (client.subject === 'plain') return at.subject;
  const prefixed = `${at.upstream}|${at.subject}`;
  if (Buffer.byteLength(prefixed) <= MAX_SUBJECT) return prefixed;
  return createHash('sha256').update(prefixed).digest('base64url');
}
