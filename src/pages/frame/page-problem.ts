/** Kind → status. The words for people stand under `problem.<kind>` in the language files. */
export const PAGE_PROBLEMS = {
  bad_request: 400,
  not_found: 404,
  method: 405,
  too_large: 413,
  /** A broker on loopback was asked by a name that is not loopback. */
  wrong_host: 421,
  /** CSRF: token or origin. */
  form_refused: 403,
  cookies_missing: 403,
  too_many_cookies: 431,
  /** Confirm, done or sign-in without the browser session that they belong to. */
  no_session: 400,
  /** Back from the upstream in a browser that did not set out. */
  other_browser: 400,
  /** The sign-in to manage one's devices is over. */
  manage_again: 403,
  bad_callback: 400,
  /** A sign-in's answer that was used already, or that came too late. */
  sign_in_used: 400,
  /** The code ran out before the person was signed in. */
  ran_out: 400,
  /** What the client's starts must bring has changed; this one cannot be redeemed any more. */
  start_again: 403,
  /** The code ran out during the sign-in. */
  ran_out_signed_in: 400,
  /** The client takes no code from somebody who followed a link. */
  followed_link: 403,
  too_many_tries: 429,
  too_many_approvals: 429,
  too_many_sign_ins: 429,
  upstream_not_signed_in: 401,
  upstream_too_weak: 403,
  upstream_garbled: 502,
  upstream_rejects_us: 502,
  /** Not the person's own refusal, which denies the grant. */
  upstream_refuses: 403,
  upstream_clock: 502,
  upstream_claim_missing: 502,
  upstream_away: 503,
  storage_away: 503,
  fault: 500,
} as const;

export type PageProblemKind = keyof typeof PAGE_PROBLEMS;

export interface PageProblemOptions extends ErrorOptions {
  /** For our log only. */
  detail?: string;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** When it goes on: the page says it in minutes and by the clock, and the header in seconds. It offers nothing till then. */
  retryAfterSeconds?: number;
  /** The address to try again at; without one the page leads to the code form. */
  again?: string;
  /** What the words name, such as an upstream. */
  words?: Readonly<Record<string, string | number>>;
}

/** A refusal at the people door: shown as a page in our own words, with what the person can do next. */
export class PageProblem extends Error {
  override readonly name = 'PageProblem';
  readonly kind: PageProblemKind;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: string | undefined;
  readonly again: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly words: Readonly<Record<string, string | number>>;

  constructor(kind: PageProblemKind, options: PageProblemOptions = {}) {
    super(`page problem: ${kind}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.status = options.status ?? PAGE_PROBLEMS[kind];
    this.retryAfterSeconds = options.retryAfterSeconds;
    const { headers = {}, retryAfterSeconds } = options;
    this.headers = retryAfterSeconds === undefined ? headers : { ...headers, 'Retry-After': String(retryAfterSeconds) };
    this.detail = options.detail;
    this.again = options.again;
    this.words = options.words ?? {};
  }
}
