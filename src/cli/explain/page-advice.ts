import type { PageProblemKind } from '../../pages/frame/page-problem.ts';
import type { Obstacle } from '../../safeguards/safeguards.ts';

/** Why it stopped, and what to change so that it does not. */
export interface Advice {
  why: string;
  change: string;
}

/** `{client}`, `{upstream}` and `{claim}` are filled in from the line. */
export const PAGE_ADVICE: Readonly<Record<PageProblemKind | Obstacle | 'account' | 'claims' | 'unreadable', Advice>> = {
  account: {
    why: 'The account may not approve for {client}: the client’s approvers leave it out, or it was ended since it signed in.',
    change:
      'Put the person into a group or list of clients.{client}.approvers, or have them sign in with another account.',
  },
  claims: {
    why: 'What {client} would be told about the account, such as its groups, is more than a token can carry.',
    change:
      'Let the upstream send fewer groups, choose some by upstreams.{upstream}.claims.groups, or leave the claim out of clients.{client}.claims.',
  },
  same_network: {
    why: 'The device started from another network than the browser is in, and {client} wants one network.',
    change:
      'Approve from the device’s network, name both networks in networks:, or set safeguards.same_network to warn.',
  },
  approve_from: {
    why: 'The browser is outside of the networks that may approve for {client}.',
    change: 'Approve from one of them, or add the person’s network to safeguards.approve_from.',
  },
  campaign: {
    why: 'The source that started this code sent codes to several people: it looks like phishing.',
    change:
      'See docs/operations/incidents.md, “A phishing campaign”; if the source is yours, name it in networks: with a factor.',
  },
  bad_request: {
    why: 'What the browser sent is nothing that our pages send.',
    change: 'Let the person start again; if it comes back, look for a proxy or an extension that changes requests.',
  },
  unreadable: {
    why: 'What the browser sent could not be read as a request.',
    change: 'Let the person delete the cookies of this host, or use a private window; else look at the proxy in front.',
  },
  not_found: {
    why: 'There is no such page.',
    change:
      'Let the person open the address that the device shows; a proxy may cut or add a path: compare with public_url.',
  },
  method: {
    why: 'The page does not take that method.',
    change: 'A script or a link scanner most likely; nothing is to be changed.',
  },
  too_large: {
    why: 'The form, or the head of the request, was larger than any of ours.',
    change: 'A script most likely; if a person has it, look for a proxy that adds headers.',
  },
  too_many_cookies: {
    why: 'The browser sends more cookies for this host than a request may hold.',
    change:
      'Let the person delete them; other sites below the same domain set them, so a host of its own helps for good.',
  },
  wrong_host: {
    why: 'Gatehouse’s public_url is on this machine, and the browser asked by a name that is none of it.',
    change: 'Open public_url; for use from other machines set it to the address that they use, with https.',
  },
  start_again: {
    why: 'What {client} must bring changed after the device had started: PKCE, DPoP, digits, a network or a resource.',
    change:
      'Let the person start again on the device; if it comes back, the device cannot do what clients.{client} asks for.',
  },
  form_refused: {
    why: 'The form was not from our page in that browser, or too old.',
    change:
      'Let the person reload the page and try again. If all have it: does public_url say what the browser shows, and does the proxy pass Origin on?',
  },
  cookies_missing: {
    why: 'The browser sent none of our cookies back.',
    change: 'Let the person allow cookies for this host; with an https public_url the page must be opened by https.',
  },
  no_session: {
    why: 'The address belongs to another browser or tab, or its time is over.',
    change: 'Let the person open the verification address and type the code once more.',
  },
  other_browser: {
    why: 'The sign-in came back in another browser than it began in, as apps with a browser of their own do.',
    change: 'Let the person do all of it in one browser; the code still works.',
  },
  manage_again: {
    why: 'The sign-in for “my devices” is over after ten minutes, or the device is not of this person.',
    change: 'Let the person sign in there again.',
  },
  bad_callback: {
    why: 'The upstream {upstream} sent the browser back without an answer, or with that of another.',
    change:
      'Does the redirect URI there lead to /callback/{upstream} as `gatehouse check` prints it, and does the proxy keep the query?',
  },
  sign_in_used: {
    why: 'The way back from {upstream} was gone twice, or too late.',
    change: 'Let the person try again from the code; a browser that loads pages ahead does this too.',
  },
  ran_out: {
    why: 'The code expired before the person was signed in.',
    change: 'Let the device ask for a new code; where people need longer, raise clients.{client}.lifetimes.code.',
  },
  ran_out_signed_in: {
    why: 'The code expired while the person was signing in or reading.',
    change: 'Let the device ask for a new code; where people need longer, raise clients.{client}.lifetimes.code.',
  },
  followed_link: {
    why: 'The person came by a link from elsewhere, and {client} takes no code then (safeguards.arrival: strict).',
    change: 'Let the person type the address of the code page. If somebody sent the link, it may have been phishing.',
  },
  too_many_tries: {
    why: 'Too many wrong codes were typed.',
    change:
      'It goes on by itself; the limits are limits.wrong_codes_…, and an office behind one address is named in networks: with a factor.',
  },
  too_many_approvals: {
    why: 'The person has approved as often as limits.approvals_per_subject allows in an hour.',
    change: 'It goes on by itself; raise the limit if that many devices are usual.',
  },
  too_many_sign_ins: {
    why: 'Sign-ins were begun more often than one code, or one source, may.',
    change: 'It goes on by itself; look at the source if it is not one of yours.',
  },
  upstream_not_signed_in: {
    why: 'The upstream {upstream} signed nobody in.',
    change: 'Let the person try again there; the detail has the upstream’s error.',
  },
  upstream_too_weak: {
    why: 'The sign-in at {upstream} was weaker or older than {client} asks for.',
    change: 'Let the upstream ask for what the client’s safeguards want (max_age, acr, amr), or ask for less.',
  },
  upstream_garbled: {
    why: 'The answer of {upstream} could not be checked.',
    change: 'The detail says which check failed; `gatehouse check --probe` tries most of them.',
  },
  upstream_rejects_us: {
    why: 'The upstream {upstream} does not accept Gatehouse’s own registration or credentials.',
    change:
      'Compare client_id, client_secret, authentication and the redirect URI with what is registered there; `gatehouse check --probe` tries them.',
  },
  upstream_refuses: {
    why: 'The upstream {upstream} refused this account, or what is asked for it.',
    change:
      'Give the account what it lacks there (a role, a permission, an assignment), or ask for less in upstreams.{upstream}.scopes.',
  },
  upstream_clock: {
    why: 'The clocks of {upstream} and of this machine are too far apart.',
    change: 'Set both by NTP; upstreams.{upstream}.clock_tolerance says how much is borne.',
  },
  upstream_claim_missing: {
    why: 'The upstream {upstream} did not send the claim {claim}, which the approvers of {client} need.',
    change:
      'Let the upstream put it into the ID token or userinfo (a mapper, a scope), or say under upstreams.{upstream}.claims where it is.',
  },
  upstream_away: {
    why: 'The upstream {upstream} did not answer, or not in time.',
    change:
      'The detail says what was in the way: DNS, a firewall, a proxy that is not used, or the upstream itself; `gatehouse check --probe` asks from here.',
  },
  storage_away: {
    why: 'Redis did not answer within three seconds.',
    change: 'The storage.unavailable line at the time says why; `gatehouse check --probe` asks from here.',
  },
  fault: {
    why: 'An error of Gatehouse itself, or of a template or text of yours.',
    change: 'Report it with the error below; if pages.views has a template of yours, try without it.',
  },
};
