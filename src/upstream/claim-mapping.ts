import type { SignIn } from './upstream.ts';
import { OtherSubjectError, UpstreamError } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export type Claims = Readonly<Record<string, unknown>>;

const LONGEST_SUBJECT = 255;

/**
 * Finds a claim by its name or by a dotted path into nested claims (`realm_access.roles`). A claim whose name itself
 * has dots in it (`https://example.com/groups`) is found too: at every level the longest name wins.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path] ?? undefined;
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (isClaims(inner)) {
      const found = claimAt(inner, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The mapped and the wanted claims that are not in these; where there are some, userinfo is asked. */
export function missingClaims(claims: Claims, settings: UpstreamSettings, wanted: readonly string[]): string[] {
  const { subject, name, email, groups } = settings.claims;
  return [subject, name, email, groups, ...wanted].filter((path) => claimAt(claims, path) === undefined);
}

/** Reads a person out of the ID token's claims and, for what is not there, out of userinfo's. */
export function readSignIn(idToken: Claims, userinfo: Claims, settings: UpstreamSettings): Omit<SignIn, 'tokens'> {
  const at = (path: string) => claimAt(idToken, path) ?? claimAt(userinfo, path);
  const subject = at(settings.claims.subject);
  if (typeof subject !== 'string' || subject === '' || subject.length > LONGEST_SUBJECT) {
    throw new UpstreamError(
      'invalid_answer',
      `the claim "${settings.claims.subject}" (claims.subject) is not a text of 1 to ${LONGEST_SUBJECT} characters`,
    );
  }
  const name = text(at(settings.claims.name));
  const email = text(at(settings.claims.email));
  const groups = texts(at(settings.claims.groups));
  const acr = text(idToken['acr']);
  const amr = texts(idToken['amr']);
  const sid = text(idToken['sid']);
  const authTimeSeconds = idToken['auth_time'];
  return {
    subject,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(groups !== undefined && { groups }),
    ...(typeof authTimeSeconds === 'number' && { authTimeSeconds }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr }),
    ...(sid !== undefined && { sid }),
    claims: { ...userinfo, ...idToken },
  };
}

/** OpenID Connect Core §5.3.2: without this, userinfo of anybody could be put beside an ID token. */
export function requireSameSubject(idToken: Claims, userinfo: Claims | undefined): void {
  if (userinfo !== undefined && userinfo['sub'] !== idToken['sub']) {
    throw new OtherSubjectError('userinfo is about another subject than the ID token');
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One text counts as a list of one: some upstreams send a single group that way. */
function texts(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined;
}

function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
