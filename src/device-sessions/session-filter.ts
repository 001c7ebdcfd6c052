import { subjectOf } from '../clients/subject.ts';
import type { SessionOwner } from '../ledger/subject-index.ts';
import { type Cidr, contains } from '../network/cidr.ts';
import { parseIpAddress } from '../network/ip-address.ts';
import type { DeviceSession } from './device-session.ts';
import type { ListedSession } from './list-sessions.ts';

/** Which sessions an administrator means; several of these mean all of them at once. */
export interface SessionFilter {
  client?: string | undefined;
  upstream?: string | undefined;
  /** As the upstream says it, with `upstream`; or `upstream|subject`, as tokens and lists show it. */
  subject?: string | undefined;
  /** What the person was shown as their account, most often an e-mail address. */
  account?: string | undefined;
  /** The whole id, or what the log shows of it. */
  session?: string | undefined;
  /** What the person, or else the device, called the device. */
  device?: string | undefined;
  source?: Cidr | undefined;
}

/** RFC 3339, with or without fractions; without a zone nobody knows which one was meant. */
const MOMENT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch; `undefined` where the text is no moment. */
export function parseMoment(text: string): number | undefined {
  const parsed = MOMENT.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** A subject means nothing without the upstream that says it: beside it, or before a bar. */
export function lacksUpstream({ subject, upstream }: Pick<SessionFilter, 'subject' | 'upstream'>): boolean {
  return subject !== undefined && upstream === undefined && !/^[^|]+\|./.test(subject);
}

/** Whether a session is of what was asked for; when it began is not looked at. */
export function isAbout(filter: SessionFilter, { session, name }: ListedSession): boolean {
  const { client, upstream, subject, account, device, source } = filter;
  if (client !== undefined && session.clientId !== client) return false;
  if (upstream !== undefined && session.upstream !== upstream) return false;
  if (subject !== undefined && !isSubject(subject, session)) return false;
  if (account !== undefined && folded(session.account) !== folded(account)) return false;
  if (filter.session !== undefined && !session.id.startsWith(filter.session)) return false;
  if (
    device !== undefined &&
    ![name, session.deviceLabel].some((one) => one !== undefined && folded(one) === folded(device))
  ) {
    return false;
  }
  if (source === undefined) return true;
  const address = parseIpAddress(session.source);
  return address !== undefined && contains(source, address);
}

/** As the upstream says it, or as `sub` of our tokens. */
function isSubject(subject: string, session: DeviceSession): boolean {
  return session.subject === subject || subjectOf({ subject: 'prefixed' }, session) === subject;
}

/** Nobody types an address with the capitals that the upstream has. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/**
 * Who may be meant by a subject. `corp|eb23` at `corp` is most often how a token or a list has `eb23`, but an upstream
 * may have subjects with a bar in them.
 */
export function ownersMeant({ upstream, subject }: SessionFilter): SessionOwner[] {
  if (subject === undefined) return [];
  const bar = subject.indexOf('|');
  const split = { upstream: subject.slice(0, bar), subject: subject.slice(bar + 1) };
  if (upstream === undefined) return [split];
  return [{ upstream, subject }, ...(split.upstream === upstream && split.subject !== '' ? [split] : [])];
}
