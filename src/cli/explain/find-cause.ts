import { upstreamProblemKind } from '../../pages/sign-in/upstream-problem.ts';
import type { UpstreamFault } from '../../upstream/upstream.ts';
import type { Line, Story } from './find-story.ts';
import { type Advice, PAGE_ADVICE } from './page-advice.ts';
import { textOf } from './tell-line.ts';

export interface Cause extends Advice {
  /** The line that it was read from. */
  line: Line;
}

/** What stops a sign-in, the line that says most first: of several with one reference the first of these counts. */
const STOPPING = [
  'storage.rejected',
  'account.undecided',
  'sign_in.failed',
  'request.failed',
  'page.refused',
  'limit.reached',
  'client.refused',
  'request.refused',
  'grant.denied',
  'grant.refused',
  'grant.replayed',
  'grant.undone',
  'session.ended',
  'code.wrong',
  'account.refused',
  'upstream.rejected',
  'upstream.unavailable',
];

/** What stopped it: of the lines with the reference itself, else of the last lines of the same grant. */
export function findCause({ asked, lines }: Story): Cause | undefined {
  const line = worst(asked) ?? [...lines].reverse().find(({ event }) => STOPPING.includes(String(event)));
  return line === undefined ? undefined : { line, ...filledIn(adviceFor(line), line) };
}

function worst(lines: readonly Line[]): Line | undefined {
  for (const name of STOPPING) {
    const found = lines.find(({ event }) => event === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function adviceFor(line: Line): Advice {
  const { event, reason, fault, detail, limit, by } = line;
  switch (event) {
    case 'account.undecided':
      return PAGE_ADVICE.upstream_claim_missing;
    case 'account.refused':
      return reason === 'claims_too_large' ? PAGE_ADVICE.claims : PAGE_ADVICE.account;
    case 'sign_in.failed':
      return pageAdvice(upstreamProblemKind(fault as UpstreamFault));
    case 'upstream.rejected':
      return PAGE_ADVICE.upstream_rejects_us;
    case 'upstream.unavailable':
      return PAGE_ADVICE.upstream_away;
    case 'page.refused':
      return pageAdvice(reason);
    case 'request.failed':
      return line['status'] === 503 ? PAGE_ADVICE.storage_away : PAGE_ADVICE.fault;
    case 'limit.reached':
      return {
        why: `The limit ${textOf(limit)} was reached.`,
        change: `It goes on by itself; see ${textOf(limit)} in docs/configuration.md, and networks: for an office behind one address.`,
      };
    case 'code.wrong':
      return {
        why: 'The code was wrong, had expired, or was used before.',
        change: 'Let the device show a new one; the lines with the same code tag say what became of the old one.',
      };
    case 'client.refused':
      return {
        why: `The client is not known, or could not prove to be it (${textOf(detail ?? 'no detail')}).`,
        change: 'Compare its id, secret or key and clients.{client}.authentication with what the device sends.',
      };
    case 'request.refused':
      return {
        why: `The device asked for something that it does not get (${textOf(detail ?? line['oauthError'] ?? '')}).`,
        change: 'docs/clients.md has what known clients need; the error_description in the answer says more.',
      };
    case 'grant.denied':
      return {
        why: `The request was denied by the ${textOf(by ?? 'person')}.`,
        change: 'Nothing, where that was meant; else let the device start again.',
      };
    case 'grant.undone':
      return { why: 'The person took the approval back.', change: 'Nothing; let the device start again.' };
    case 'grant.refused':
      return {
        why: `It was approved, and is not allowed any more (${textOf(reason ?? '')}).`,
        change:
          'Compare clients.{client} with what it was at the approval; after a kill switch or a logout a new sign-in is needed.',
      };
    case 'grant.replayed':
    case 'session.ended':
      return {
        why: `The device session ended, by the ${textOf(by ?? 'replay')}.`,
        change:
          'Where that was no intention of yours (reuse, replay), a token or code may have been copied: look at the device.',
      };
    case 'storage.rejected':
      return {
        why: 'What was stored does not authenticate: somebody else wrote to Redis, or a sealing key is gone.',
        change: 'See docs/operations/incidents.md, “Redis is lost”, and compare keys.sealing on all replicas.',
      };
    default:
      return { why: 'The line says what happened.', change: 'See docs/operations/log-events.md.' };
  }
}

function pageAdvice(kind: unknown): Advice {
  const known = typeof kind === 'string' && Object.hasOwn(PAGE_ADVICE, kind);
  if (known) return PAGE_ADVICE[kind as keyof typeof PAGE_ADVICE];
  return { why: `The page was refused (${textOf(kind)}).`, change: 'See docs/operations/log-events.md.' };
}

function filledIn({ why, change }: Advice, line: Line): Advice {
  const fill = (text: string) =>
    text.replace(/\{(client|upstream|claim)\}/g, (_whole, field: string) => textOf(line[field] ?? `<${field}>`));
  return { why: fill(why), change: fill(change) };
}
