import { setTimeout as delay } from 'node:timers/promises';
import type { Gatehouse } from './gatehouse.ts';
import { check, type Scenario } from './peer.ts';
import { browser } from './person.ts';
import { signOut } from './sign-out.ts';
import { expectRefused, expectTokens, refreshed, signInAt } from './upstream-sign-in.ts';
import type { SignOutThere, UpstreamUnderTest } from './upstream-under-test.ts';

/** What ends at the upstream, and what becomes of the device session then. */
export function logoutScenarios(upstream: UpstreamUnderTest, gatehouse: Gatehouse): Scenario[] {
  const { logOut, signOut: there } = upstream;
  const byAdministrator = logOut && {
    name: 'back-channel logout',
    limitSeconds: 60,
    async run() {
      const began = await signInAt(upstream, gatehouse);
      await logOut(upstream.user);
      expectRefused(await refreshed(began));
      check(await gatehouse.event('logout.received'), 'no logout token came');
    },
  };
  const byThePerson = there && {
    name: 'RP-initiated logout',
    limitSeconds: 60,
    run: () => signsOutThere(upstream, gatehouse, there),
  };
  return [byAdministrator, byThePerson].filter((scenario) => scenario !== undefined);
}

async function signsOutThere(upstream: UpstreamUnderTest, gatehouse: Gatehouse, there: SignOutThere): Promise<void> {
  const signIns: number[] = [];
  const hers = { browser: browser(), onSignIn: () => void signIns.push(Date.now()) };
  const began = await signInAt(upstream, gatehouse, 'tv', hers);
  const relayed = await signInAt(upstream, gatehouse, 'relay', hers);
  check(signIns.length === 1, `she said ${signIns.length} times who she is: it keeps nobody signed in`);
  const { issuer, clientId } = upstream;
  const idTokenHint = there.needsIdToken === true ? relayed.tokens.id_token : undefined;
  const tokensBefore = gatehouse.events('logout.received').length;
  await signOut(hers.browser, { issuer, clientId, idTokenHint });
  if (there.sessionThen === 'is ended by its logout token') await untilLogoutTokens(gatehouse, tokensBefore + 1);
  const answer = await refreshed(began);
  if (there.sessionThen === 'goes on') expectTokens('the refresh', answer);
  else expectRefused(answer);
  await signInAt(upstream, gatehouse, 'tv', hers);
  check(Number(signIns.length) === 2, 'she was not signed out');
}

async function untilLogoutTokens(gatehouse: Gatehouse, count: number): Promise<void> {
  const have = () => gatehouse.events('logout.received').length;
  for (let wait = 0; wait < 50 && have() < count; wait += 1) await delay(100);
  check(have() >= count, 'no logout token came');
}
