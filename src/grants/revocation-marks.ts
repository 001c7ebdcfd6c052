import type { Ledger } from '../ledger/ledger.ts';
import { sourcePrefixList } from '../network/source-prefixes.ts';
import type { Sealing } from '../sealing/sealing.ts';

/**
 * Before-marks: moments before which a sign-in no longer counts, set by a logout at the upstream or by an
 * administrator's kill switch. They are read where something is about to be handed out, so one write is in force on
 * every replica at once, also for what nobody has listed yet.
 */
export type Mark =
  | { mark: 'all' }
  | { mark: 'client'; clientId: string }
  | { mark: 'upstream'; upstream: string }
  | { mark: 'subject'; upstream: string; subject: string }
  /** A prefix as `source-prefixes` writes it. */
  | { mark: 'source'; prefix: string }
  /** Logouts are kept apart from the kill switch: a client may let its devices outlive a logout. */
  | { mark: 'logout_sid'; upstream: string; sid: string }
  | { mark: 'logout_subject'; upstream: string; sub: string }
  /** One of this person's sessions there has ended: it ends what is not known to belong to another one. */
  | { mark: 'logout_unknown_sid'; upstream: string; sub: string };

/** What a sign-in is known by when it is held against the marks. */
export interface SignedIn {
  /** `undefined` for a sign-in that no client is in, as the one to manage one's devices. */
  clientId?: string | undefined;
  upstream: string;
  subject: string;
  /** The upstream's own `sub`, where that is not the subject. */
  upstreamSub?: string | undefined;
  sid?: string | undefined;
  /** The address that asked. */
  source: string;
  signedInAtMs: number;
  /** Whether a logout at the upstream ends it too. */
  endsOnLogout: boolean;
}

/** @param untilMs when everything that the mark could end has lapsed by itself */
export async function setMark(
  deps: { ledger: Ledger; sealing: Sealing },
  mark: Mark,
  atMs: number,
  untilMs: number,
): Promise<void> {
  const [key] = markKeys(mark, deps.sealing);
  if (key !== undefined) await deps.ledger.raise(key, atMs, untilMs);
}

/** The moment of a mark, 0 where it was never set. */
export async function newestMark(
  { ledger, sealing }: { ledger: Ledger; sealing: Sealing },
  mark: Mark,
): Promise<number> {
  return Math.max(0, ...(await ledger.marks(markKeys(mark, sealing))));
}

/** Whether a mark ends this sign-in. */
export async function isMarkedEnded(deps: { ledger: Ledger; sealing: Sealing }, signIn: SignedIn): Promise<boolean> {
  return (await endingMark(deps, signIn)) !== undefined;
}

/** Whose mark ends this sign-in, if one does. */
export async function endingMark(
  { ledger, sealing }: { ledger: Ledger; sealing: Sealing },
  signIn: SignedIn,
): Promise<'administrator' | 'logout' | undefined> {
  const { upstream, subject, upstreamSub: sub = subject, sid, clientId, signedInAtMs } = signIn;
  const kills: Mark[] = [
    { mark: 'all' },
    ...(clientId === undefined ? [] : [{ mark: 'client', clientId } as const]),
    { mark: 'upstream', upstream },
    { mark: 'subject', upstream, subject },
    ...sourcePrefixList(signIn.source).map((prefix): Mark => ({ mark: 'source', prefix })),
  ];
  const ofSession: Mark =
    sid === undefined ? { mark: 'logout_unknown_sid', upstream, sub } : { mark: 'logout_sid', upstream, sid };
  const logouts: Mark[] = signIn.endsOnLogout ? [{ mark: 'logout_subject', upstream, sub }, ofSession] : [];

  const killKeys = kills.flatMap((mark) => markKeys(mark, sealing));
  const logoutKeys = logouts.flatMap((mark) => markKeys(mark, sealing));
  const moments = await ledger.marks([...killKeys, ...logoutKeys]);
  const isAfter = (moment: number) => signedInAtMs < moment;
  if (moments.slice(0, killKeys.length).some(isAfter)) return 'administrator';
  return moments.slice(killKeys.length).some(isAfter) ? 'logout' : undefined;
}

/** The first is where a mark is written; a fingerprint made under an older sealing key is still found. */
function markKeys(mark: Mark, sealing: Sealing): string[] {
  const tagged = (kind: string, ...parts: string[]) =>
    sealing.tags(`before ${kind}`, JSON.stringify(parts)).map((tag) => `before:${tag}`);
  switch (mark.mark) {
    case 'all':
      return ['before:all'];
    case 'client':
      return [`before:client:${encodeURIComponent(mark.clientId)}`];
    case 'upstream':
      return [`before:upstream:${mark.upstream}`];
    case 'source':
      return [`before:source:${mark.prefix}`];
    case 'subject':
      return tagged('subject', mark.upstream, mark.subject);
    case 'logout_sid':
      return tagged('logout sid', mark.upstream, mark.sid);
    case 'logout_subject':
      return tagged('logout subject', mark.upstream, mark.sub);
    case 'logout_unknown_sid':
      return tagged('logout unknown sid', mark.upstream, mark.sub);
  }
}
