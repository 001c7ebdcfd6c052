import type { KillMark } from '../../device-sessions/kill-marks.ts';
import { ownersMeant } from '../../device-sessions/session-filter.ts';
import type { SessionOwner } from '../../ledger/subject-index.ts';
import { networkText } from '../../network/cidr.ts';
import { UsageError } from '../read-arguments.ts';
import type { SessionFilter } from './session-filter.ts';

/** What `gatehouse end` is to do. */
export interface EndOrder {
  filter: SessionFilter;
  beforeMs: number;
  /** None for single sessions: what is not redeemed yet has no session. */
  marks: KillMark[];
}

/** The mark that the options say by themselves; `undefined` where it depends on who is found. @throws {UsageError} */
export function wholeMark(filter: SessionFilter): KillMark | undefined {
  const { client, upstream, subject, account, session, device, source, all } = filter;
  const person = subject ?? account;
  const chosen = [client, person ?? upstream, session, device, source, all || undefined];
  const isTwice = subject !== undefined && account !== undefined;
  if (isTwice || chosen.filter((one) => one !== undefined).length !== 1) {
    throw new UsageError(
      'say one of --client, --upstream, --subject, --account, --session, --device, --source, --all; ' +
        '`gatehouse sessions end` takes several',
    );
  }
  if (client !== undefined) return { mark: 'client', clientId: client };
  if (all) return { mark: 'all' };
  if (source === undefined) {
    return upstream === undefined || person !== undefined ? undefined : { mark: 'upstream', upstream };
  }
  const { address, bits } = source;
  const lengths = address.length === 4 ? [32, 24] : [64, 48];
  if (!lengths.includes(bits)) throw new UsageError('--source takes a /32 or /24 of IPv4, a /64 or /48 of IPv6');
  return { mark: 'source', prefix: networkText(address, bits) };
}

/** A person of whom no session is known may still have approved something: each way to read the name is marked. */
export function marksOf(filter: SessionFilter, owners: readonly SessionOwner[]): KillMark[] {
  const meant = filter.session !== undefined || filter.device !== undefined ? [] : owners;
  return (meant.length > 0 ? meant : ownersMeant(filter)).map((owner) => ({ mark: 'subject', ...owner }));
}

/** What of the filter an audit line names as it was typed. */
export function namesOf({ client, upstream, subject, account, session, device, source }: SessionFilter) {
  const network = source === undefined ? undefined : networkText(source.address, source.bits);
  return { client, upstream, subject, account, sessionId: session, device, source: network };
}

export function namesIn(mark: KillMark): Partial<SessionOwner> {
  return mark.mark === 'subject' ? { upstream: mark.upstream, subject: mark.subject } : {};
}
