import { knownSidMark } from '../ledger/entry-keys.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { newestMark, setMark } from './revocation-marks.ts';

interface KnownSidsDeps {
  ledger: Ledger;
  sealing: Sealing;
}

/** A session at an upstream, as its ID tokens name it. */
export interface UpstreamSession {
  upstream: string;
  sid: string;
}

const tagsOf = ({ sealing }: KnownSidsDeps, { upstream, sid }: UpstreamSession) =>
  sealing.tags('known sid', JSON.stringify([upstream, sid])).map(knownSidMark);

/**
 * Notes that somebody signed in here from a session there: that somebody may end it whom we know nothing of (OpenID
 * Connect Front-Channel Logout). For a `sid` that nobody signed in with, a stranger can make us write nothing.
 *
 * @param lifeMs how long what was signed in now may live
 */
export async function noteSid(deps: KnownSidsDeps, session: UpstreamSession, lifeMs: number): Promise<void> {
  const [key] = tagsOf(deps, session);
  const nowMs = await deps.ledger.now();
  if (key !== undefined) await deps.ledger.raise(key, nowMs, nowMs + lifeMs);
}

/** Ends what was signed in from a session there; answers whether anybody signed in from it since it last ended. */
export async function endKnownSid(deps: KnownSidsDeps, session: UpstreamSession, lifeMs: number): Promise<boolean> {
  const notedAtMs = Math.max(...(await deps.ledger.marks(tagsOf(deps, session))));
  const mark = { mark: 'logout_sid', ...session } as const;
  if (notedAtMs <= (await newestMark(deps, mark))) return false;
  const nowMs = await deps.ledger.now();
  await setMark(deps, mark, nowMs, nowMs + lifeMs);
  return true;
}
