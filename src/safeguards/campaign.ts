import type { Safeguards } from '../clients/registered-client.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { flaggedMark, setSourceMark, suspendedMark } from '../limits/source-marks.ts';
import type { Networks } from '../network/networks.ts';
import { sourcePrefixes } from '../network/source-prefixes.ts';
import type { Sealing } from '../sealing/sealing.ts';

/**
 * The campaign detector. A device is used by one person; codes that one source started and several people signed in
 * for are a sign of somebody who sends codes to many. What is counted is people, not codes, so that one person's ten
 * tries are nothing; and sign-ins, not approvals, so that it is seen before the harm.
 */
export interface Campaigns {
  /** Notes that this person signed in for a code of this source, and says how the source stands now. */
  note(sighting: Sighting): Promise<CampaignVerdict>;
  /** How a source stands, without noting anybody. */
  judge(mode: Safeguards['campaign'], source: string, nowMs: number): Promise<CampaignVerdict>;
}

export interface Sighting {
  mode: Safeguards['campaign'];
  /** The address that started the grant. */
  source: string;
  /** The address of the person's browser. */
  personAddress: string;
  upstream: string;
  subject: string;
  nowMs: number;
}

export interface CampaignVerdict {
  verdict: 'quiet' | 'alert' | 'suspended';
  /** This sighting made it a campaign: to be told once, not for every victim. */
  isNews: boolean;
}

const MINUTE_MS = 60 * 1000;
const SEEN_MS = 10 * MINUTE_MS;
const MARKED_MS = 60 * MINUTE_MS;
/** Different people within `SEEN_MS`. */
const PEOPLE_PER_SOURCE = 3;
/** A /24 or a /48 is more than one household; a phisher who moves about in one still meets this. */
const PEOPLE_PER_WIDER = 10;

function markOf(mode: 'alert' | 'suspend', prefix: string): string {
  return mode === 'suspend' ? suspendedMark(prefix) : flaggedMark(prefix);
}

const QUIET: CampaignVerdict = { verdict: 'quiet', isNews: false };

export function createCampaigns(deps: {
  ledger: Pick<Ledger, 'enlist' | 'listed' | 'marks' | 'raise'>;
  sealing: Pick<Sealing, 'tag'>;
  networks: Networks;
}): Campaigns {
  const { ledger, sealing, networks } = deps;

  async function judge(mode: Safeguards['campaign'], source: string, nowMs: number): Promise<CampaignVerdict> {
    if (mode === 'off') return QUIET;
    const prefixes = sourcePrefixes(source);
    // A source that a client in `alert` finds is not suspended for others: flagged is a question, suspended an answer.
    const untilMs = await ledger.marks([markOf(mode, prefixes.source), markOf(mode, prefixes.wider)]);
    if (!untilMs.some((until) => until > nowMs)) return QUIET;
    return { verdict: mode === 'suspend' ? 'suspended' : 'alert', isNews: false };
  }

  return {
    judge,

    async note({ mode, source, personAddress, upstream, subject, nowMs }) {
      if (mode === 'off') return QUIET;
      const before = await judge(mode, source, nowMs);
      if (isWithinOneOffice(source, personAddress)) return before;

      const person = sealing.tag('campaign subject', JSON.stringify([upstream, subject]));
      const factor = networks.factorOf(source);
      const prefixes = sourcePrefixes(source);
      let isCampaign = false;
      for (const [prefix, people] of [
        [prefixes.source, PEOPLE_PER_SOURCE],
        [prefixes.wider, PEOPLE_PER_WIDER],
      ] as const) {
        // First in, then counted: of people who come together the last one sees them all.
        await ledger.enlist(`campaign:${prefix}`, person, nowMs + SEEN_MS);
        if ((await ledger.listed(`campaign:${prefix}`)).length < people * factor) continue;
        await setSourceMark(ledger, markOf(mode, prefix), nowMs + MARKED_MS);
        isCampaign = true;
      }
      if (!isCampaign) return before;
      return { verdict: mode === 'suspend' ? 'suspended' : 'alert', isNews: before.verdict === 'quiet' };
    },
  };

  /** An office that the administrator has named, whose people sit where their devices are, is no campaign. */
  function isWithinOneOffice(source: string, personAddress: string): boolean {
    const office = networks.networkOf(source);
    return office !== undefined && office.id === networks.networkOf(personAddress)?.id;
  }
}
