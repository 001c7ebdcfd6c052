import type { RandomBytes } from '../grants/device-code.ts';
import { type EndReason, forgetCarried, markEnded } from '../grants/end-grant.ts';
import { refreshEntry } from '../grants/entry-names.ts';
import type { Ledger } from '../grants/ledger.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import type { AskUpstream } from './ask-upstream.ts';
import type { DeviceSession } from './device-session.ts';
import { openRefreshEntry } from './refresh-entry.ts';
import { nextRefreshToken, type RefreshToken } from './refresh-token.ts';

export interface EndGround {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  /** Needed only by who brings a refresh token. */
  upstreams?: Pick<AskUpstream, 'revoke'>;
}

/** How far behind the newest token an old one may be and still lead to it. */
const LONGEST_WALK = 1000;

/**
 * Ends a session for good. Who brings one of its refresh tokens also opens what is sealed under the newest one, so the
 * upstream's refresh token is revoked there too. In every other case what was sealed is deleted: it can be used by nobody
 * then, and lapses at the upstream by itself.
 *
 * @returns whether this call ended it
 */
export async function endSession(
  ground: EndGround,
  session: DeviceSession,
  reason: EndReason,
  token?: RefreshToken,
): Promise<boolean> {
  const upstreams = reason === 'upstream' ? undefined : ground.upstreams;
  // Looked for before the mark: once that stands, whoever came second deletes what is sealed, and may be faster.
  const before =
    upstreams === undefined || token === undefined
      ? undefined
      : await newestCarried(ground, session, token, LONGEST_WALK);
  const hasEnded = await markEnded(ground, session.id, reason, session.endsAtMs);
  if (hasEnded && upstreams !== undefined && before !== undefined) {
    // A refresh may have come in between, but no second one.
    const { upstreamToken } = (await newestCarried(ground, session, before.token, 2)) ?? before;
    if (upstreamToken !== undefined) await upstreams.revoke(session.upstream, new Secret(upstreamToken));
  }
  await forgetCarried(ground, session.id);
  return hasEnded;
}

interface NewestCarried {
  token: RefreshToken;
  upstreamToken: string | undefined;
}

/** Each token gives the next, so an old one leads to the newest, whose entry alone still exists. */
async function newestCarried(
  { ledger, sealing }: EndGround,
  session: DeviceSession,
  token: RefreshToken,
  steps: number,
): Promise<NewestCarried | undefined> {
  let current = token;
  for (let step = 0; step < steps; step += 1) {
    const [stored] = (await ledger.read([refreshEntry(session.id, current.n)])).values;
    if (stored !== undefined) {
      const carried = await openRefreshEntry(current, stored, sealing);
      return { token: current, upstreamToken: carried?.approval.upstreamTokens?.refreshToken };
    }
    current = nextRefreshToken(current, session.keyName, sealing);
  }
  return undefined;
}
