import type { ScriptedPerson, VisitedPage } from '../demo/scripted-person.ts';
import { inputsIn } from './consent-page.ts';
import { check } from './peer.ts';

export interface SignOut {
  issuer: string;
  clientId: string;
  idTokenHint?: string | undefined;
}

/** What the button that says yes is called: Keycloak, oidc-provider, django-oauth-toolkit. */
const YES = ['confirmLogout', 'logout', 'allow'];

/** A person whom a relying party sends to the upstream to sign out (OpenID Connect RP-Initiated Logout §2). */
export async function signOut(browser: ScriptedPerson, { issuer, clientId, idTokenHint }: SignOut): Promise<void> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  const metadata = (await response.json()) as { end_session_endpoint?: string };
  check(metadata.end_session_endpoint, 'its metadata has no end_session_endpoint');
  const address = new URL(metadata.end_session_endpoint);
  address.searchParams.set('client_id', clientId);
  if (idTokenHint !== undefined) address.searchParams.set('id_token_hint', idTokenHint);
  const asked = await browser.visit(address);
  const page = await sayYes(browser, asked);
  check(page.status === 200, `the sign-out ended at ${page.status} ${page.url.href} “${page.heading}”`);
}

/** Without a hint it must ask her, since anybody could have sent her there. */
async function sayYes(browser: ScriptedPerson, page: VisitedPage): Promise<VisitedPage> {
  const buttons = [...page.forms.flatMap((form) => form.buttons), ...inputsIn(page.html, 'submit')];
  const yes = buttons.find(({ name }) => YES.includes(name));
  const form = page.forms.find(({ method }) => method === 'POST');
  if (yes === undefined || form === undefined) return page;
  return browser.submit(page, form, { [yes.name]: yes.value });
}
