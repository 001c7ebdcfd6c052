import type { RaceOutcome, Rival } from './decision-race.ts';

/** How often the log has each of these lines about the grant. */
export type RaceEvents = Record<'grant.approved' | 'grant.denied' | 'grant.redeemed' | 'grant.refused', number>;

export interface Judgement {
  winner: 'approved' | 'denied' | 'expired' | 'killed';
  violations: string[];
}

/** Who won, by what the device heard; and whether the log, the pages and the device tell the same story (I1, I3, I6). */
export function judgeRace(rivals: readonly Rival[], outcome: RaceOutcome, events: RaceEvents): Judgement {
  const { tokens, heard, refreshed, pages } = outcome;
  const approved = events['grant.approved'];
  const denied = events['grant.denied'];
  const said = [...new Set(heard)].join(' and ');
  const winner = winnerOf(outcome, denied);
  const violations: string[] = [];
  const must = (claim: boolean, words: string): void => {
    if (!claim) {
      violations.push(
        `${words} (${JSON.stringify({ rivals, tokens: tokens.length, heard, refreshed, pages, events })})`,
      );
    }
  };
  must(approved + denied <= 1, 'I3: two decisions were logged');
  must(tokens.length <= 1, 'I1: more than one token answer');
  must(events['grant.redeemed'] === tokens.length, 'the log and the device disagree about the tokens');
  must(tokens.length === 0 || approved === 1, 'I2: tokens without an approval');
  // A killed approval is `access_denied` for as long as it could be redeemed, and then `expired_token`, as any other.
  const isKilledAndLate =
    rivals.includes('expire') && approved === 1 && heard.every((word) => /^(access_denied|expired_token)$/.test(word));
  must(new Set(heard).size === 1 || isKilledAndLate, 'I3: two replicas say two things of what is over');
  must(tokens.length === 0 || said === 'invalid_grant', 'I1: a spent code is good for more');
  const isApprovedPage = pages.approve !== undefined && /^200 (Approved|Connected)/.test(pages.approve);
  const isDeniedPage = pages.deny !== undefined && /^200 Denied/.test(pages.deny);
  must(!isApprovedPage || approved === 1, 'the person reads of an approval that the log does not have');
  must(!isDeniedPage || denied === 1, 'the person reads of a denial that the log does not have');
  switch (winner) {
    case 'approved':
      must(!rivals.includes('kill') || refreshed === 'invalid_grant', 'I6: a killed session was refreshed');
      break;
    case 'denied':
      must(said === 'access_denied', 'I3: the device does not hear of the denial');
      break;
    case 'killed':
      must(rivals.includes('kill'), 'it waits although it was decided');
      // Where the kill came before the approval, the page has refused that, and the code waits for another person.
      must(
        approved === 1 ? events['grant.refused'] > 0 : said === 'authorization_pending',
        'nobody denied or killed it',
      );
      break;
    case 'expired':
      must(rivals.includes('expire') && said === 'expired_token', 'a code ran out before its time');
      break;
  }
  return { winner, violations };
}

function winnerOf({ tokens, heard }: RaceOutcome, denied: number): Judgement['winner'] {
  if (tokens.length > 0) return 'approved';
  if (denied > 0) return 'denied';
  return heard.every((word) => word === 'expired_token') ? 'expired' : 'killed';
}
