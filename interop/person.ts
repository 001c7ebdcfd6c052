import type { HtmlForm } from '../demo/html-form.ts';
import { ScriptedPerson, type VisitedPage } from '../demo/scripted-person.ts';
import { fetchFrom } from '../test/support/proxy-nginx.ts';
import { type Answer, consent, inputsIn } from './consent-page.ts';

export interface Visit {
  verificationUri: string;
  userCode: string;
  user: string;
  password?: string;
  decision?: 'approve' | 'deny';
  /** At the upstream's own pages: its consent page gets no. */
  deniesUpstream?: boolean;
  fetch?: typeof fetch;
  /** Hers from earlier, with its cookies; left out: a new one. */
  browser?: ScriptedPerson;
  /** Is told each time that she says there who she is. */
  onSignIn?: () => void;
}

const MAX_PAGES = 16;

/**
 * A person with any of these servers' pages before them: types the code, signs in with name and password, consents,
 * decides. Answers the page at which it ended, whatever that says.
 */
export async function playPerson(visit: Visit): Promise<VisitedPage> {
  const person = visit.browser ?? browser(visit.fetch);
  let page = await person.visit(visit.verificationUri);
  const way: string[] = [];
  for (let step = 0; step < MAX_PAGES; step += 1) {
    way.push(`${page.status} ${page.url.pathname} “${page.heading}”`);
    const answer = page.status < 500 ? answerTo(page, visit) : undefined;
    if (answer === undefined) return page;
    page = await person.submit(page, answer.form, answer.filled);
    // Some begin anew for whoever said no.
    if (answer.isNo === true) return page;
  }
  throw new Error(`the pages come to no end: ${way.slice(-4).join(' → ')}`);
}

/** A connection for each request: a pooled one may be closing just then, and a slow network makes that likely. */
export function browser(by: typeof fetch = fetchFrom('127.0.0.1', '')): ScriptedPerson {
  return new ScriptedPerson({ fetch: by });
}

/** As `playPerson`, and the device must be allowed to go on at the end. */
export async function approve(visit: Visit): Promise<VisitedPage> {
  const page = await playPerson(visit);
  if (page.url.pathname.endsWith('/device/done') && page.status === 200) return page;
  const seen = page.html.replace(/<style[\s\S]*?<\/style>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  throw new Error(`the person ended at ${page.status} ${page.url.href} “${page.heading}”: ${seen.slice(0, 300)}`);
}

function answerTo(page: VisitedPage, visit: Visit): Answer | undefined {
  const { forms, html } = page;
  const decision = visit.decision ?? 'approve';
  // Keycloak's own device page calls the field otherwise.
  // Spring's consent page has it too, hidden.
  const typed = (name: string) => !inputsIn(html, 'hidden').some((hidden) => hidden.name === name);
  const named = ['user_code', 'device_user_code'].find(
    (name) => typed(name) && forms.some(({ fields }) => fields.has(name)),
  );
  const code = forms.find(({ fields }) => named !== undefined && fields.has(named));
  if (code !== undefined && named !== undefined && page.status === 200) {
    return { form: code, filled: { [named]: visit.userCode } };
  }
  const confirm = withButton(forms, 'decision', decision);
  if (confirm !== undefined) {
    const asked = confirm.fields.has('confirm_code') ? { confirm_code: lastOfCode(html, visit.userCode) } : {};
    return { form: confirm, filled: { decision, ...asked } };
  }
  // A wrong password shows the same page again; Keycloak and others do so with 200.
  const login = forms.find(({ fields }) => fields.has('password'));
  if (login !== undefined) {
    visit.onSignIn?.();
    const name = ['username', 'user', 'login'].find((field) => login.fields.has(field)) ?? 'username';
    return { form: login, filled: { [name]: visit.user, password: visit.password ?? `${visit.user}-password` } };
  }
  const embedded = withButton(forms, 'user', visit.user);
  if (embedded !== undefined) {
    visit.onSignIn?.();
    const filled: Record<string, string> = visit.deniesUpstream === true ? { decision: 'deny' } : { user: visit.user };
    return { form: embedded, filled };
  }
  const isNo = visit.deniesUpstream === true;
  const answer = consent(forms, html, isNo);
  return answer && { ...answer, isNo };
}

function withButton(forms: readonly HtmlForm[], name: string, value: string): HtmlForm | undefined {
  return forms.find(({ buttons }) => buttons.some((button) => button.name === name && button.value === value));
}

/** As many of the code's last characters as the page's field has room for. */
function lastOfCode(html: string, userCode: string): string {
  const field = /<input\b[^>]*\bname="confirm_code"[^>]*>/i.exec(html)?.[0] ?? '';
  const length = Number(/maxlength="(\d+)"/i.exec(field)?.[1] ?? userCode.length);
  return userCode.replace(/[^\p{L}\p{N}]/gu, '').slice(-length);
}
