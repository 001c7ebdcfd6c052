import { printable } from '../terminal/printable.ts';
import type { Result, Verdict } from './check.ts';

/** What was judged, by whom and when. */
export interface Judged {
  issuer: string;
  clientId: string;
  at: string;
  seconds: number;
  version: string;
  results: readonly Result[];
}

export interface Counts {
  holds: number;
  mustFails: number;
  shouldFails: number;
  cannotBeSeen: number;
}

export function countsOf(results: readonly Result[]): Counts {
  const count = (wanted: Verdict['verdict'], level?: string) =>
    results.filter(({ verdict, check }) => verdict === wanted && (level ?? check.level) === check.level).length;
  return {
    holds: count('holds'),
    mustFails: count('fails', 'must'),
    shouldFails: count('fails', 'should'),
    cannotBeSeen: count('cannot be seen'),
  };
}

/** For people: a line for each check, and beneath it what was seen where that says more. */
export function reportTable(results: readonly Result[]): string {
  const lines = results.map(({ check, verdict, detail }) => {
    const seen =
      verdict === 'holds' || detail === '' ? '' : `\n${' '.repeat(23)}${printable(detail)} (${check.requirement})`;
    return `${(verdict === 'fails' ? 'FAILS' : verdict).padEnd(15)} ${check.level.padEnd(6)} ${check.id.padEnd(27)} ${check.title}${seen}\n`;
  });
  return `${lines.join('')}\n${verdictLine(countsOf(results))}\n`;
}

export function verdictLine({ holds, mustFails, shouldFails, cannotBeSeen }: Counts): string {
  return `${holds} hold, ${mustFails} must and ${shouldFails} should fail, ${cannotBeSeen} cannot be seen`;
}

export function reportJson({ issuer, clientId, at, seconds, version, results }: Judged): string {
  const checks = results.map(({ check, verdict, detail }) => {
    const { id, title, requirement, level } = check;
    return { id, title, requirement, level, verdict, detail: printable(detail) };
  });
  const { holds, mustFails, shouldFails, cannotBeSeen } = countsOf(results);
  const summary = { holds, must_fails: mustFails, should_fails: shouldFails, cannot_be_seen: cannotBeSeen };
  return `${JSON.stringify({ issuer, client_id: clientId, at, seconds, gatehouse: version, summary, checks }, null, 2)}\n`;
}

/** A `should` that fails is told as skipped: what runs it fails where the command does. */
export function reportJunit({ issuer, seconds, results }: Judged): string {
  const { mustFails, shouldFails, cannotBeSeen } = countsOf(results);
  const cases = results.map(({ check, verdict, detail }) => {
    const words = xml(printable(`${detail} (${check.requirement})`));
    const inside =
      verdict === 'holds'
        ? ''
        : verdict === 'fails' && check.level === 'must'
          ? `<failure message="${words}"/>`
          : `<skipped message="${verdict === 'fails' ? 'should: ' : 'cannot be seen: '}${words}"/>`;
    return `    <testcase classname="${xml(check.level)}" name="${xml(`${check.id}: ${check.title}`)}">${inside}</testcase>\n`;
  });
  const counts = `tests="${results.length}" failures="${mustFails}" errors="0" skipped="${shouldFails + cannotBeSeen}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite name="${xml(`RFC 8628 at ${issuer}`)}" ${counts} time="${seconds}">\n${cases.join('')}  </testsuite>\n</testsuites>\n`;
}

function xml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
