import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Approval, ClaimReading, JudgedClaims } from '../../ledger/approval.ts';
import { isVisibleLine } from '../start/visible-line.ts';
import { EMAIL_VERIFIED } from './approver-conditions.ts';
import { type Claims, claimAt, isClaims } from './claim-at.ts';
import { readClaim } from './claim-reading.ts';
import { carriedClaimNames } from './client-claims.ts';
import { judgedClaimNames } from './policy.ts';

/** What an upstream says of a person, as far as an approval keeps it. */
export interface SignedInPerson {
  subject: string;
  name?: string | undefined;
  email?: string | undefined;
  /** Whether the upstream says that the address is theirs; `undefined` where it says nothing of that. */
  emailVerified?: boolean | undefined;
  groups?: ClaimReading | undefined;
  /** Of the groups, those that go into tokens, where that is not all of them. */
  carriedGroups?: readonly string[] | undefined;
  claims: Claims;
}

export type ApprovedFacts = Pick<
  Approval,
  'subject' | 'upstreamSub' | 'account' | 'claims' | 'groups' | 'carriedGroups' | 'judged'
>;

/**
 * Of all that an upstream says, only what this client's configuration names, so that no other claim is ever stored.
 * `name`, `email` and `groups` are where the upstream's `claims:` setting says; the rest is taken by its own name.
 *
 * @param scopes the granted ones; they bring claims where the client's `claims` is not written
 */
export function approvedFacts(
  client: RegisteredClient,
  person: SignedInPerson,
  scopes: readonly string[],
): ApprovedFacts {
  const left = claimsLeftOut(client, person, scopes);
  const carried = carriedClaimNames(client, scopes)
    .filter((name) => !left.includes(name))
    .map((name) => [name, carriedClaim(person, name)] as const);
  const { sub } = person.claims;
  return {
    subject: person.subject,
    ...(typeof sub === 'string' && sub !== person.subject ? { upstreamSub: sub } : {}),
    account: accountOf(person),
    claims: Object.fromEntries(carried.filter(([, value]) => value !== undefined)),
    groups: person.groups,
    carriedGroups: person.carriedGroups,
    judged: judgedClaims(client, person),
  };
}

/** Of a claim that no administrator asked for by name, as JSON; some upstreams write a whole picture into `picture`. */
const MAX_STANDARD_CLAIM_BYTES = 2048;

/** Claims that a scope would bring, and that are too long to be carried: they must not keep anybody from signing in. */
export function claimsLeftOut(client: RegisteredClient, person: SignedInPerson, scopes: readonly string[]): string[] {
  if (client.claims.standard !== true) return [];
  return carriedClaimNames(client, scopes).filter((name) => {
    const json = JSON.stringify(carriedClaim(person, name) ?? null);
    return Buffer.byteLength(json) > MAX_STANDARD_CLAIM_BYTES;
  });
}

/** Characters; no address and no name of an upstream is longer. */
const LONGEST_ACCOUNT = 320;

/**
 * What people recognise the account by. An address that the upstream calls unverified is what somebody typed there, and
 * so is a name that looks like one: shown, either would let its owner pass for another. What cannot be read as one line
 * is not shown at all.
 */
export function accountOf({ subject, name, email, emailVerified }: Omit<SignedInPerson, 'claims'>): string {
  const address = emailVerified === false ? undefined : email;
  const ownName = name === undefined || looksLikeAddress(name) ? undefined : name;
  const shown = [address, ownName].find((text) => text !== undefined && isVisibleLine(text, LONGEST_ACCOUNT));
  return shown ?? subject;
}

/** The wide `＠` and the small `﹫` are the same to a reader. */
function looksLikeAddress(name: string): boolean {
  return name.normalize('NFKC').includes('@');
}

function carriedClaim(person: SignedInPerson, name: string): unknown {
  switch (name) {
    case 'name':
      return person.name;
    case 'email':
      return person.email;
    case EMAIL_VERIFIED:
      return person.email === undefined ? claimAt(person.claims, name) : person.emailVerified === true;
    case 'groups':
      return person.carriedGroups ?? (person.groups === 'unreadable' ? undefined : person.groups);
    default:
      return claimAt(person.claims, name);
  }
}

function judgedClaims(client: RegisteredClient, person: SignedInPerson): JudgedClaims {
  const names = judgedClaimNames(client);
  const besides = names.includes('email') && person.emailVerified !== undefined ? [EMAIL_VERIFIED] : [];
  const readings = [...names, ...besides].map((name) => [name, readingOf(person, name)] as const);
  return Object.fromEntries(readings.filter((entry): entry is [string, ClaimReading] => entry[1] !== undefined));
}

/** A claim that is kept elsewhere (OpenID Connect Core §5.6.2) came, and cannot be read. */
function readingOf(person: SignedInPerson, name: string): ClaimReading | undefined {
  if (name === 'groups') return person.groups;
  const value = name === 'name' ? person.name : name === 'email' ? person.email : claimAt(person.claims, name);
  const elsewhere = person.claims['_claim_names'];
  const isElsewhere = value === undefined && isClaims(elsewhere) && Object.hasOwn(elsewhere, name);
  return isElsewhere ? 'unreadable' : readClaim(value);
}
