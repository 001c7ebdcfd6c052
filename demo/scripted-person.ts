import { CookieJar } from './cookie-jar.ts';
import { formsIn, type HtmlForm, headingOf, linksIn, refreshIn } from './html-form.ts';

/** A page as a person has it before them. */
export interface VisitedPage {
  url: URL;
  status: number;
  html: string;
  heading: string;
  forms: readonly HtmlForm[];
  links: readonly URL[];
}

export interface ScriptedPersonOptions {
  fetch?: typeof fetch;
  /** Is told each step, in plain words. */
  onStep?: (step: string) => void;
}

const mostRedirects = 20;
const mostPages = 12;

/**
 * A person with a browser without script: follows redirects with cookies, and sends forms as the page has them, hidden
 * fields included. For the demo, and for journeys that need a browser but not its pictures.
 */
export class ScriptedPerson {
  readonly #jar = new CookieJar();
  readonly #fetch: typeof fetch;

  constructor(options: ScriptedPersonOptions = {}) {
    this.#fetch = options.fetch ?? fetch;
  }

  /** Types an address, or follows a link on a page (`from`). */
  visit(address: string | URL, from?: VisitedPage): Promise<VisitedPage> {
    return this.#go(new URL(address), from?.url, undefined);
  }

  /** Sends a form of a page: its own fields, changed by what the person fills in or presses. */
  submit(page: VisitedPage, form: HtmlForm, filled: Readonly<Record<string, string>> = {}): Promise<VisitedPage> {
    const body = new URLSearchParams({ ...Object.fromEntries(form.fields), ...filled });
    if (form.method === 'POST') return this.#go(form.action, page.url, body);
    const address = new URL(form.action);
    address.search = body.toString();
    return this.#go(address, page.url, undefined);
  }

  async #go(start: URL, from: URL | undefined, form: URLSearchParams | undefined): Promise<VisitedPage> {
    let url = start;
    let body = form;
    let initiator = from;
    const visited = [start];
    for (let step = 0; step < mostRedirects; step += 1) {
      const response = await this.#request(url, body, initiator, visited);
      const location = response.headers.get('location');
      const html = location === null ? await response.text() : '';
      const refresh = refreshIn(html, url);
      if (location === null && refresh === undefined) return pageOf(url, response.status, html);
      if (location !== null) {
        await response.body?.cancel();
        // RFC 9110 §15.4: 307 and 308 repeat the request, form and all; the others become a GET.
        if (response.status !== 307 && response.status !== 308) body = undefined;
        url = new URL(location, url);
        visited.push(url);
      } else if (refresh !== undefined) {
        initiator = url;
        url = refresh;
        body = undefined;
        visited.splice(0, visited.length, url);
      }
    }
    throw new Error(`${start.origin}: more than ${mostRedirects} redirects, the last to ${url.href}`);
  }

  async #request(url: URL, body: URLSearchParams | undefined, from: URL | undefined, way: readonly URL[]) {
    const cookie = this.#jar.header(url);
    const response = await this.#fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'accept-language': 'en',
        'sec-fetch-site': fetchSite(from, way),
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...(from === undefined ? {} : { referer: from.origin === url.origin ? from.href : from.origin }),
        ...(body === undefined ? {} : { origin: from?.origin ?? 'null' }),
        ...(cookie === '' ? {} : { cookie }),
      },
      ...(body === undefined ? {} : { body }),
    });
    this.#jar.store(url, response);
    return response;
  }
}

/** As browsers fill in Sec-Fetch-Site: the farthest that the way has been from where it began. */
function fetchSite(from: URL | undefined, way: readonly URL[]): string {
  if (from === undefined) return 'none';
  if (way.every(({ origin }) => origin === from.origin)) return 'same-origin';
  return way.every(({ hostname }) => hostname === from.hostname) ? 'same-site' : 'cross-site';
}

function pageOf(url: URL, status: number, html: string): VisitedPage {
  return { url, status, html, heading: headingOf(html), forms: formsIn(html, url), links: linksIn(html, url) };
}

export interface Decision {
  /** Where to go: the verification URI, or the complete one. */
  verificationUri: string;
  /** As the device shows it. */
  userCode: string;
  /** Who to be at the upstream. */
  user: string;
  decision?: 'approve' | 'deny' | 'report';
}

/**
 * Plays a person from the code page to the end: types the code, signs in at the embedded upstream, reads what the device
 * wants, decides. Answers the page at which it ended, whatever it says.
 */
export async function decide(
  { verificationUri, userCode, user, decision = 'approve' }: Decision,
  options: ScriptedPersonOptions = {},
): Promise<VisitedPage> {
  const person = new ScriptedPerson(options);
  const say = options.onStep ?? (() => undefined);
  say(`opens ${verificationUri}`);
  let page = await person.visit(verificationUri);
  for (let step = 0; step < mostPages && page.status < 400; step += 1) {
    const next = answerTo(page, { userCode, user, decision });
    if (next === undefined) return page;
    say(next.says);
    page = await person.submit(page, next.form, next.filled);
  }
  return page;
}

/** `decide` for the usual case. */
export function approve(
  verificationUri: string,
  userCode: string,
  user: string,
  options: ScriptedPersonOptions = {},
): Promise<VisitedPage> {
  return decide({ verificationUri, userCode, user }, options);
}

/**
 * Plays a person who looks at their devices, in a browser that knows nothing yet, and ends the first of them. Answers the page that
 * says so.
 */
export async function endDevice(
  sessionsUri: string,
  user: string,
  options: ScriptedPersonOptions = {},
): Promise<VisitedPage> {
  const person = new ScriptedPerson(options);
  const say = options.onStep ?? (() => undefined);
  say(`opens ${sessionsUri}`);
  let page = await person.visit(sessionsUri);
  for (let step = 0; step < mostPages && page.status < 400; step += 1) {
    const end = page.forms.find(({ action }) => action.pathname.endsWith('/sessions/end'));
    if (end !== undefined) {
      say(`reads “${page.heading}” and ends the device`);
      return person.submit(page, end);
    }
    const next = answerTo(page, { userCode: '', user, decision: 'approve' });
    if (next === undefined) break;
    say(next.says);
    page = await person.submit(page, next.form, next.filled);
  }
  throw new Error(`there is no device to end: ${page.status} ${page.url.href} “${page.heading}”`);
}

interface Answer {
  says: string;
  form: HtmlForm;
  filled: Record<string, string>;
}

function answerTo(
  page: VisitedPage,
  { userCode, user, decision }: Required<Omit<Decision, 'verificationUri'>>,
): Answer | undefined {
  const codeForm = page.forms.find(({ fields }) => fields.has('user_code'));
  if (codeForm !== undefined) {
    return { says: `types the code ${userCode}`, form: codeForm, filled: { user_code: userCode } };
  }
  const signInForm = formWithButton(page, 'user', user);
  if (signInForm !== undefined) {
    return { says: `signs in at ${page.url.origin} as ${user}`, form: signInForm, filled: { user } };
  }
  const passwordForm = page.forms.find(({ fields }) => fields.has('password'));
  if (passwordForm !== undefined) {
    const says = `signs in at ${page.url.origin} as ${user}, with a password`;
    return { says, form: passwordForm, filled: { username: user, password: `${user}-password` } };
  }
  const confirmForm = formWithButton(page, 'decision', decision);
  if (confirmForm === undefined) return undefined;
  const says = `reads “${page.heading}” and chooses: ${decision}`;
  const suffix = confirmForm.fields.has('confirm_code') ? { confirm_code: confirmCode(page.html, userCode) } : {};
  return { says, form: confirmForm, filled: { decision, ...suffix } };
}

function formWithButton(page: VisitedPage, name: string, value: string): HtmlForm | undefined {
  return page.forms.find(({ buttons }) => buttons.some((button) => button.name === name && button.value === value));
}

/** As many of the code's last characters as the page's field has room for. */
function confirmCode(html: string, userCode: string): string {
  const field = /<input\b[^>]*\bname="confirm_code"[^>]*>/i.exec(html)?.[0] ?? '';
  const length = Number(/maxlength="(\d+)"/i.exec(field)?.[1] ?? userCode.length);
  return userCode.replace(/[^\p{L}\p{N}]/gu, '').slice(-length);
}
