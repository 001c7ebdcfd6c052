import { LOG_EVENTS, type LogEventName } from '../../telemetry/log-events.ts';
import { printable } from '../terminal/printable.ts';
import type { Line } from './find-story.ts';

/** What a line says, as a sentence. An event without one is told by its meaning and its fields. */
const SENTENCES: Partial<Record<LogEventName, (line: Told) => string>> = {
  'grant.started': ({ client, at, scopes }) => `A device${at} asked for codes as the client ${client}${scopes}.`,
  'grant.opened': ({ at, signals }) => `Somebody${at} typed the right code${signals}.`,
  'grant.opened_again': ({ at }) => `The code was typed in a second browser too${at}.`,
  'code.wrong': ({ at }) => `A wrong code was typed${at}.`,
  'link.followed': ({ at }) => `Somebody${at} came to the code page by a link from another site.`,
  'sign_in.started': ({ upstream, purpose }) => `The browser was sent to the upstream ${upstream}${purpose}.`,
  'sign_in.finished': ({ subject, upstream }) => `${subject} came back from ${upstream}, signed in.`,
  'sign_in.failed': ({ upstream, fault, why }) => `The way to ${upstream} and back failed (${fault})${why}.`,
  'account.refused': ({ subject, client, reason }) => `${subject} may not approve for ${client}${reason}.`,
  'page.refused': ({ route, status, reason, why }) => `The page ${route} was refused with ${status}${reason}${why}.`,
  'limit.reached': ({ limit, at }) => `The limit ${limit} was reached${at}.`,
  'campaign.noticed': ({ at }) => `Several people had signed in for codes that were started${at}.`,
  'grant.approved': ({ account, at, signals }) => `${account} approved${at}${signals}.`,
  'grant.denied': ({ by, reason, at }) => `The request was denied by the ${by}${reason}${at}.`,
  'grant.undone': ({ at }) => `The approval was undone${at}.`,
  'grant.redeemed': ({ at, scopes }) => `The device${at} got its tokens${scopes}.`,
  'confirmation.refused': ({ reason, at }) => `The device${at} sent digits or a proof in vain${reason}.`,
  'grant.refused': ({ reason, at }) => `The device${at} got no tokens although it was approved${reason}.`,
  'grant.replayed': ({ at }) => `The device code was used once more${at}.`,
  'session.refreshed': ({ at }) => `The device session was refreshed${at}.`,
  'session.ended': ({ by, reason, at }) => `The device session ended, by the ${by}${reason}${at}.`,
  'request.failed': ({ route, status, why }) => `${route} failed with ${status}${why}.`,
  'request.refused': ({ route, status, error, why }) => `A device was answered ${error} (${status}) at ${route}${why}.`,
  'client.refused': ({ client, at, why }) => `The client ${client} was refused${at}${why}.`,
  'upstream.unavailable': ({ upstream, why }) => `The upstream ${upstream} did not answer as it should${why}.`,
  'upstream.rejected': ({ upstream, why }) => `The upstream ${upstream} refuses Gatehouse itself${why}.`,
  'storage.unavailable': ({ why }) => `Redis did not answer${why}.`,
  'storage.recovered': () => 'Redis answered again.',
  'process.started': ({ version }) => `A Gatehouse process started${version}.`,
  'config.reloaded': () => 'A changed configuration came into force.',
  'config.refused': () => 'A changed configuration was refused, and the old one stayed in force.',
};

/** The fields of a line as pieces of a sentence; what is not there says so, or nothing. */
interface Told {
  client: string;
  upstream: string;
  subject: string;
  account: string;
  at: string;
  scopes: string;
  signals: string;
  purpose: string;
  fault: string;
  reason: string;
  why: string;
  route: string;
  status: string;
  limit: string;
  by: string;
  error: string;
  version: string;
}

/** One sentence for a person who does not know the log, without time. */
export function tellLine(line: Line): string {
  const name = String(line['event']);
  const sentence = Object.hasOwn(SENTENCES, name) ? SENTENCES[name as LogEventName] : undefined;
  if (sentence !== undefined) return sentence(told(line));
  const meaning = Object.hasOwn(LOG_EVENTS, name) ? LOG_EVENTS[name as LogEventName].meaning : printable(name);
  const facts = ['upstream', 'client', 'subject', 'claim', 'reason', 'detail'].filter(
    (field) => line[field] !== undefined,
  );
  const listed = facts.map((field) => `${field}: ${textOf(line[field])}`).join(', ');
  return listed === '' ? meaning : `${meaning} (${listed})`;
}

function told(line: Line): Told {
  const or = (field: string, otherwise: string) => (line[field] === undefined ? otherwise : textOf(line[field]));
  const after = (field: string, before: string) => (line[field] === undefined ? '' : `${before}${textOf(line[field])}`);
  return {
    client: or('client', '(unknown)'),
    upstream: or('upstream', '(unknown)'),
    subject: or('subject', 'Somebody'),
    account: or('account', or('subject', 'Somebody')),
    at: after('source', ' at '),
    scopes: after('scopes', ', with the scopes '),
    signals: after('signal', ', warned of: '),
    purpose: line['purpose'] === undefined || line['purpose'] === 'approve' ? '' : ` (${textOf(line['purpose'])})`,
    fault: or('fault', 'unknown'),
    reason: after('reason', ': '),
    why: after('detail', ': ') || after('error', ': '),
    route: or('route', 'a request'),
    status: or('status', 'an error'),
    limit: or('limit', '(unknown)'),
    by: or('by', 'unknown'),
    error: or('oauthError', 'an error'),
    version: after('version', ', version '),
  };
}

/** As it may be printed: a log may hold what strangers sent. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(' ');
  if (typeof value === 'object' && value !== null) return errorText(value as Readonly<Record<string, unknown>>);
  return printable(String(value));
}

/** An error as the log has it, with its causes. */
function errorText({ name, message, cause }: Readonly<Record<string, unknown>>): string {
  const own = printable(`${String(name)}: ${String(message)}`);
  return typeof cause === 'object' && cause !== null ? `${own}, because of ${textOf(cause)}` : own;
}
