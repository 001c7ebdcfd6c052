import type { FoundLine } from './log-lines.ts';

export type Line = Readonly<Record<string, unknown>>;

/** All lines of the log that have to do with one reference, in the order of the log. */
export interface Story {
  /** The lines with the reference itself. */
  asked: readonly Line[];
  /** Those, and all others of the same grants and requests. */
  lines: readonly Line[];
  /** What happened to the process, its storage and its upstreams at the time, by itself. */
  meanwhile: readonly Line[];
}

/** Can be read more than once. */
export type ReadLog = () => AsyncIterable<FoundLine>;

/** What is told of the time before and after a sign-in. */
const AROUND_MS = 60_000;
/** Of a session that is refreshed for months the beginning and the end are told. */
const MAX_LINES = 1000;
const FIRST_LINES = 200;

const ENVIRONMENT = /^(storage\.(unavailable|recovered)|upstream\.|process\.|config\.)/;

/**
 * Goes from the reference to the grants that its lines name, from there to all requests about those grants, and so to
 * the lines that name a request only. A log may be larger than the memory: it is read again for each step.
 *
 * @param reference the `X-Request-Id`, or the tag of a grant or a session
 */
export async function findStory(read: ReadLog, reference: string): Promise<Story> {
  const asked = await linesWhere(read, (line) => namesOf(line).includes(reference));
  if (asked.length === 0) return { asked, lines: [], meanwhile: [] };
  const grants = new Set(asked.flatMap(tagsOf));
  const ofGrants = await linesWhere(read, (line) => tagsOf(line).some((tag) => grants.has(tag)));
  const requests = new Set([...asked, ...ofGrants].flatMap(({ requestId }) => (isName(requestId) ? [requestId] : [])));
  const isOwn = (line: Line) =>
    tagsOf(line).some((tag) => grants.has(tag)) || (isName(line['requestId']) && requests.has(line['requestId']));
  const lines = await linesWhere(read, isOwn);
  const [from, until] = [timeOf(lines[0]) - AROUND_MS, timeOf(lines.at(-1)) + AROUND_MS];
  const isAround = (line: Line) => timeOf(line) >= from && timeOf(line) <= until;
  const meanwhile = await linesWhere(
    read,
    (line) => ENVIRONMENT.test(String(line['event'])) && isAround(line) && !isOwn(line),
  );
  return { asked, lines, meanwhile };
}

async function linesWhere(read: ReadLog, isWanted: (line: Line) => boolean): Promise<Line[]> {
  const found: Line[] = [];
  for await (const { fields } of read()) {
    if (!isWanted(fields)) continue;
    found.push(fields);
    if (found.length > MAX_LINES) found.splice(FIRST_LINES, 1);
  }
  return found;
}

function tagsOf({ grant, session }: Line): string[] {
  return [grant, session].filter(isName);
}

function namesOf(line: Line): unknown[] {
  return [line['requestId'], ...tagsOf(line)];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function timeOf(line: Line | undefined): number {
  return Date.parse(String(line?.['time']));
}
