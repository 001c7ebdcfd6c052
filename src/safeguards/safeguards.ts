import type { RegisteredClient, Safeguards } from '../clients/registered-client.ts';
import type { GeoPlaces } from '../geo/geo-places.ts';
import { normaliseUserCode, type UserCodeSettings } from '../grants/start/user-code.ts';
import type { Grant } from '../ledger/grant.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ApprovalLimits } from '../limits/approval-limits.ts';
import type { CodeEntryLimits, EntryLimit } from '../limits/code-entry-limits.ts';
import { setSourceMark, slowedMark } from '../limits/source-marks.ts';
import type { Networks } from '../network/networks.ts';
import { sourcePrefixes } from '../network/source-prefixes.ts';
import type { RandomBytes } from '../sealing/secret.ts';
import type { SignIn } from '../upstream/upstream.ts';
import type { Campaigns, CampaignVerdict } from './campaign.ts';
import { charactersToType, isTypedFromDevice } from './complete.ts';
import { judgePlace } from './place.ts';
import { type Requester, requesterOf } from './requester.ts';
import { newReverseCode } from './reverse-code.ts';
import { confirmationAtStart, newProof } from './same-device.ts';
import { isSameNetwork, judgeSameNetwork } from './same-network.ts';
import { mayApproveFrom } from './still-met.ts';
import { judgeSignIn, type SignInVerdict } from './strong-sign-in.ts';

/**
 * Safeguards are the signals against phishing by device codes: the sign-in at the upstream is genuine there, so only what
 * the person understands and what the broker itself sees can help. Each file turns facts into the verdict of one signal;
 * here is what each step of a grant asks of them. Words for people are in the pages, counters in `limits/`.
 */
export interface SafeguardJudge {
  /** When a person came back signed in to approve: judged, and noted for the campaign detector. Once per trip. */
  judgeArrived(client: RegisteredClient, grant: Grant, signIn: SignIn, person: Person): Promise<ArrivedJudgement>;
  /** What the confirm page says and asks; nothing is counted, so the page can be reloaded. */
  judgeConfirm(client: RegisteredClient, grant: Grant, person: Person, entry: EnteredCode): Promise<ConfirmJudgement>;
  /** At `decision=approve`. Denying is never judged. */
  judgeApproval(client: RegisteredClient, grant: Grant, person: Person, form: ConfirmForm): Promise<ApprovalJudgement>;
  /** At `decision=report`, beside the denial: what this source may start is cut to a tenth for an hour. */
  report(grant: Grant, nowMs: number): Promise<void>;
}

export interface Person {
  upstream: string;
  subject: string;
  /** Of the browser, as `sourceAddress` gives it. */
  address: string;
  /** By the ledger's clock. */
  nowMs: number;
}

/** How the code got into the form. */
export interface EnteredCode {
  /** As the person entered it. */
  userCode: string;
  codePrefilled: boolean;
  /** The person followed a link from another site and went on past the stop page. */
  followedLink: boolean;
  openElsewhere: boolean;
}

export interface ConfirmForm extends EnteredCode {
  /** The form's `confirm_code`; '' where it has none. */
  typedSuffix: string;
  /** A fingerprint of the browser, by which wrong ones are counted. */
  browser: string;
}

/** What the confirm page warns of; also the names in the log's `signal`. */
export type Warning = 'other_network' | 'other_country' | 'followed_link' | 'open_elsewhere' | 'campaign';

/** What keeps this person from approving here and now; the grant stays pending, and can be denied. */
export type Obstacle = 'same_network' | 'approve_from' | 'campaign';

export interface ArrivedJudgement {
  signIn: SignInVerdict;
  campaign: CampaignVerdict;
}

export interface ConfirmJudgement {
  requester: Requester;
  warnings: readonly Warning[];
  /** How many of the code's last characters the person must type from the device (`confirm_code`); 0: none. */
  charactersToType: number;
  obstacle?: Obstacle | undefined;
}

export type ApprovalJudgement =
  | {
      verdict: 'allowed';
      warnings: readonly Warning[];
      heldUntilMs?: number | undefined;
      /** Four digits for the done page, and for the approval. */
      reverseCode?: string | undefined;
      /** For the device's listener, and for the approval; the digits are there for where it does not arrive. */
      proof?: string | undefined;
    }
  | { verdict: 'refused'; reason: Obstacle; warnings: readonly Warning[] }
  /** What was typed is not the end of the code: the form again. */
  | { verdict: 'wrong_code'; warnings: readonly Warning[] }
  | {
      verdict: 'too_many';
      limit: 'approvals_per_subject' | EntryLimit | 'wrong_codes_total';
      retryAfterSeconds: number;
      warnings: readonly Warning[];
    };

export interface SafeguardDeps {
  ledger: Pick<Ledger, 'raise'>;
  networks: Networks;
  geo: GeoPlaces;
  campaigns: Campaigns;
  approvalLimits: ApprovalLimits;
  codeEntryLimits: Pick<CodeEntryLimits, 'mayEnter'>;
  userCodes: UserCodeSettings;
  randomBytes: RandomBytes;
  clockToleranceSeconds: (upstream: string) => number;
}

const SLOWED_MS = 60 * 60 * 1000;

export function createSafeguardJudge(deps: SafeguardDeps): SafeguardJudge {
  const { ledger, networks, geo, campaigns, approvalLimits, codeEntryLimits, userCodes, randomBytes } = deps;

  async function judgeConfirm(
    { safeguards }: RegisteredClient,
    grant: Grant,
    person: Person,
    entry: EnteredCode,
  ): Promise<ConfirmJudgement> {
    const campaign = await campaigns.judge(safeguards.campaign, grant.source, person.nowMs);
    const isSame = isSameNetwork(grant.source, person.address, networks);
    const network = judgeSameNetwork(safeguards.sameNetwork, isSame);
    const [requester, there] = [geo.placeOf(grant.source), geo.placeOf(person.address)];
    // Two addresses of one network are in one place, whatever a file says of each.
    const place = isSame ? 'ok' : judgePlace(safeguards.place, { requester, person: there });

    const warnings: Warning[] = [];
    if (network !== 'ok') warnings.push('other_network');
    if (place !== 'ok') warnings.push('other_country');
    if (entry.followedLink) warnings.push('followed_link');
    if (entry.openElsewhere) warnings.push('open_elsewhere');
    if (campaign.verdict !== 'quiet') warnings.push('campaign');

    let obstacle: Obstacle | undefined;
    if (campaign.verdict === 'suspended') obstacle = 'campaign';
    else if (!mayApproveFrom(safeguards, person.address)) obstacle = 'approve_from';
    else if (network === 'refuse') obstacle = 'same_network';

    return {
      requester: requesterOf(grant, person, networks),
      warnings,
      charactersToType: charactersToType(safeguards.complete, codeOf(entry).length, entry.codePrefilled),
      obstacle,
    };
  }

  /** The code without the hyphens and spaces that it was entered with. */
  function codeOf({ userCode }: EnteredCode): string {
    return normaliseUserCode(userCode, userCodes) ?? userCode;
  }

  return {
    judgeConfirm,

    async judgeArrived({ safeguards }, grant, signIn, { upstream, subject, address, nowMs }) {
      return {
        signIn: judgeSignIn(safeguards, signIn, {
          ...{ grantStartedAtMs: grant.startedAtMs, nowMs },
          clockToleranceSeconds: deps.clockToleranceSeconds(upstream),
        }),
        campaign: await campaigns.note({
          mode: safeguards.campaign,
          source: grant.source,
          personAddress: address,
          upstream,
          subject,
          nowMs,
        }),
      };
    },

    async judgeApproval(client, grant, person, form) {
      const { safeguards } = client;
      const { warnings, obstacle, charactersToType: characters } = await judgeConfirm(client, grant, person, form);
      if (obstacle !== undefined) return { verdict: 'refused', reason: obstacle, warnings };
      if (characters > 0) {
        // A person who pressed the button too early has guessed nothing.
        if (form.typedSuffix.trim() === '') return { verdict: 'wrong_code', warnings };
        const { address: source, nowMs } = person;
        const tried = await codeEntryLimits.mayEnter({ source, browser: form.browser, person, nowMs });
        if (tried.verdict !== 'allowed') {
          const { limit, retryAfterSeconds } = tried;
          return { verdict: 'too_many', limit, retryAfterSeconds, warnings };
        }
        const isTyped = isTypedFromDevice(form.typedSuffix, codeOf(form), characters, userCodes);
        if (!isTyped) return { verdict: 'wrong_code', warnings };
        await tried.wasRight();
      }
      // Last, since it counts: what is refused for another reason is no approval.
      const counted = await approvalLimits.mayApprove({ grantId: grant.id, ...person });
      if (counted.verdict === 'refused') return { ...counted, verdict: 'too_many', warnings };
      const confirmation = confirmationAtStart(safeguards, grant.confirmation);
      const isConfirmed = confirmation === 'digits' || confirmation === 'loopback';
      return {
        verdict: 'allowed',
        warnings,
        heldUntilMs: heldUntilMs(safeguards, person.nowMs),
        reverseCode: isConfirmed ? newReverseCode(randomBytes) : undefined,
        proof: confirmation === 'loopback' ? newProof(randomBytes) : undefined,
      };
    },

    async report(grant, nowMs) {
      await setSourceMark(ledger, slowedMark(sourcePrefixes(grant.source).source), nowMs + SLOWED_MS);
    },
  };
}

/** Until when an approval waits, so that a second thought can still take it back; `undefined` where nothing waits. */
export function heldUntilMs(
  { holdSeconds }: Pick<Safeguards, 'holdSeconds'>,
  approvedAtMs: number,
): number | undefined {
  return holdSeconds === 0 ? undefined : approvedAtMs + holdSeconds * 1000;
}
