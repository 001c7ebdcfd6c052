/**
 * What a provider says of a person, read into what a grant knows. What cannot be read is said to be so, and never taken for a
 * no.
 */

import { EMAIL_VERIFIED } from '../../grants/decide/approver-conditions.ts';
import { type Claims, claimAt, isClaims } from '../../grants/decide/claim-at.ts';
import { readClaim } from '../../grants/decide/claim-reading.ts';
import { withoutEmpty } from '../requests/without-empty.ts';
import type { SignIn } from '../upstream.ts';
import { OtherSubjectError, UpstreamError } from '../upstream.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';
import { carriedGroups, readGroups } from './read-groups.ts';

const MAX_SUBJECT = 255;
/** What a page shows of a name, and a token carries; in characters. */
const MAX_NAME = 200;
/** RFC 5321 §4.5.3.1: a local part of 64 octets, `@`, a domain of 255. */
const MAX_EMAIL = 320;
/** Of texts that are only compared. */
const MAX_WORD = 255;

/** Told of a claim that cannot be taken as it came, in words for the log. */
export type NoteClaim = (claim: string, detail: string) => void;

/** Where this upstream keeps a claim that a client's configuration names. */
export function claimPath({ claims }: UpstreamSettings, name: string): string {
  switch (name) {
    case 'name':
    case 'email':
      return claims[name];
    case 'groups':
      return claims.groups.from;
    default:
      return name;
  }
}

/** What is sought of everybody who signs in, whatever the client copies or judges. */
const OF_A_SIGN_IN = ['name', 'email', 'groups'];

/**
 * The mapped and the wanted claims that are not in these; where there are some, userinfo is asked.
 *
 * @param isRefresh nobody sees a page, so nothing is sought but who it is and what is wanted
 */
export function missingClaims(
  claims: Claims,
  settings: UpstreamSettings,
  wanted: readonly string[],
  isRefresh = false,
): string[] {
  const names = isRefresh ? wanted : [...OF_A_SIGN_IN, ...wanted];
  const paths = new Set([settings.claims.subject, ...names.map((name) => claimPath(settings, name))]);
  return [...paths].filter((path) => claimAt(claims, path) === undefined);
}

/** Whether the groups of somebody who is in very many are kept elsewhere (OpenID Connect Core §5.6.2; Entra). */
export function areGroupsElsewhere(claims: Claims, settings: UpstreamSettings): boolean {
  const { from } = settings.claims.groups;
  if (claimAt(claims, from) !== undefined) return false;
  const names = claims['_claim_names'];
  return (isClaims(names) && Object.hasOwn(names, from)) || claims['hasgroups'] === true;
}

/** Reads a person out of the ID token's claims and, for what is not there, out of userinfo's. */
export function readSignIn(
  idToken: Claims,
  userinfo: Claims,
  settings: UpstreamSettings,
  note: NoteClaim = () => undefined,
): Omit<SignIn, 'tokens'> {
  const at = (path: string) => claimAt(idToken, path) ?? claimAt(userinfo, path);
  const { subject: subjectPath, name: namePath, email: emailPath, groups: rule } = settings.claims;
  const subject = at(subjectPath);
  if (typeof subject !== 'string' || subject.length > MAX_SUBJECT) {
    throw new UpstreamError(
      'invalid_answer',
      `the claim "${subjectPath}" (claims.subject) is not a text of 1 to ${MAX_SUBJECT} characters`,
    );
  }
  const said = { ...withoutEmpty(userinfo), ...withoutEmpty(idToken) };
  const name = shownName(at(namePath), namePath, note);
  const email = boundedText(at(emailPath), emailPath, MAX_EMAIL, note);
  const emailVerified = email === undefined ? undefined : verified(at(verifiedPath(emailPath)));
  const groups = areGroupsElsewhere(said, settings) ? 'unreadable' : readGroups(at(rule.from), rule);
  if (groups === 'unreadable') note(rule.from, 'its groups cannot be read (claims.groups says how they come)');
  const carried = Array.isArray(groups) ? carriedGroups(groups, rule.only) : undefined;
  const acr = boundedText(idToken['acr'], 'acr', MAX_WORD, note);
  const amr = readClaim(idToken['amr']);
  const sid = boundedText(idToken['sid'], 'sid', MAX_WORD, note);
  const authTimeSeconds = idToken['auth_time'];
  return {
    subject,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(emailVerified !== undefined && { emailVerified }),
    ...(groups !== undefined && { groups }),
    ...(carried !== undefined && { carriedGroups: carried }),
    ...(typeof authTimeSeconds === 'number' && { authTimeSeconds }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && amr !== 'unreadable' && { amr }),
    ...(sid !== undefined && { sid }),
    claims: said,
  };
}

/** OpenID Connect Core §5.3.2: without this, userinfo of anybody could be put beside an ID token. */
export function requireSameSubject(idToken: Claims, userinfo: Claims | undefined): void {
  if (userinfo !== undefined && userinfo['sub'] !== idToken['sub']) {
    throw new OtherSubjectError('userinfo is about another subject than the ID token');
  }
}

/** `email_verified` is about `email`; an address that is kept elsewhere has its own word beside it, or none. */
function verifiedPath(emailPath: string): string {
  return emailPath === 'email' ? EMAIL_VERIFIED : `${emailPath}_verified`;
}

/** OpenID Connect Core §5.1 has a truth value here; Amazon Cognito and Apple write it as a text. */
function verified(value: unknown): boolean | undefined {
  return value === undefined ? undefined : value === true || value === 'true';
}

/** A name is for reading, so its beginning does; an ellipsis says that there is more. */
function shownName(value: unknown, claim: string, note: NoteClaim): string | undefined {
  if (typeof value !== 'string') return undefined;
  const characters = Array.from(value);
  if (characters.length <= MAX_NAME) return value;
  note(claim, `it has ${characters.length} characters and is cut to ${MAX_NAME}`);
  return `${characters.slice(0, MAX_NAME - 1).join('')}…`;
}

/** What is compared is never cut: the beginning of an address can be another address. */
function boundedText(value: unknown, claim: string, longest: number, note: NoteClaim): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length <= longest) return value;
  note(claim, `it has ${value.length} characters, more than ${longest}, and is left out`);
  return undefined;
}
