import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPageHarness } from '../../support/browser/page-harness.ts';
import { anyText } from '../../support/samples/inherited-names.ts';

/** How a page may name a claim: by its word, by its name, or by the standard scope that brings it alone. */
const WORDS = new Map([
  ['email', ['Email address', 'See your email address']],
  ['address', ['Postal address', 'See your postal address']],
  ['phone_number', ['Phone number', 'See your phone number']],
  ['profile', ['Profile page']],
  ['groups', ['Groups']],
  ['roles', ['Roles']],
  ['name', ['Name']],
  ['email_verified', ['email_verified', 'Email address', 'See your email address']],
]);
const NAMES = [...WORDS.keys(), 'offline_access', 'openid', 'phone', 'valueOf', 'https://example.com/roles', 'a.b'];
const MORE_SCOPES = ['packages:read', 'valueOf', 'https://example.com/roles'];
const SCOPES = [...new Set([...WORDS.keys(), 'offline_access', 'phone', ...MORE_SCOPES])];

const plainWords = anyText({ maxLength: 12 }).filter((text) => /^[a-z ]+$/.test(text));
const description = fc.oneof(fc.constantFrom('Read mail', 'Do as you do', '-'), plainWords);

/** The words of a row, until the next row's. */
const rowOf = (words: string, heading: RegExp) => (words.split(heading)[1] ?? '').split('Requested')[0] ?? '';

describe('what the tokens say of a person', () => {
  it('is named on the confirm page, whatever an administrator calls the scopes (I5)', async () => {
    const input = fc.record({
      claims: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 5 }),
      scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { maxLength: 5 }),
      described: fc.uniqueArray(fc.tuple(fc.constantFrom(...SCOPES), description), { selector: ([scope]) => scope }),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ claims, scopes, described }) => {
        const allowed = ['openid', ...scopes];
        const harness = openPageHarness({
          client: { scopes: { allowed, default: [] }, claims: { idToken: claims, accessToken: [] } },
          deps: { scopeDescriptions: Object.fromEntries(described) },
        });
        const { words } = await harness.signIn(
          harness.newVisitor(),
          (await harness.start({ scopes: allowed })).userCode,
        );
        // What the administrator says of a scope names no claim.
        const written = new Map(described);
        const rows = rowOf(words, /It will be able to/);
        const told = rowOf(words, /It receives/);
        for (const claim of claims) {
          const [word = claim, inScope = word] = WORDS.get(claim) ?? [];
          const own = claim === 'phone_number' ? ['phone', claim] : [claim];
          const isScope = own.some((scope) => scopes.includes(scope) && !written.has(scope));
          const isSaid = isScope && (rows.includes(inScope) || rows.includes(word));
          const isVerified = claim === 'email_verified' && claims.includes('email');
          expect(isSaid || isVerified || told.includes(word), `${claim} in: ${rows} | ${told}`).toBe(true);
        }
      }),
      { numRuns: 20, examples: [[{ claims: ['email'], scopes: ['email'], described: [['email', 'Read mail']] }]] },
    );
  });

  it('is no word for a scope that is called as a claim which no token carries', async () => {
    const allowed = ['openid', 'groups', 'locale'];
    const harness = openPageHarness({
      client: { scopes: { allowed, default: [] }, claims: { idToken: ['locale'], accessToken: [] } },
    });
    const { words } = await harness.signIn(harness.newVisitor(), (await harness.start({ scopes: allowed })).userCode);
    expect(words).toMatch(/Know it is you groups no description Language Requested/);
  });
});
