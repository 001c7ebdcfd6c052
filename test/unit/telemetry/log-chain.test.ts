import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createChainVerifier } from '../../../src/telemetry/audit/chain-verifier.ts';
import type { LogDestination } from '../../../src/telemetry/log-destination.ts';
import { LOG_FIELDS } from '../../../src/telemetry/log-fields.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';

/** A log in memory that can be full. */
function memoryLog() {
  const lines: string[] = [];
  let lost = 0;
  let isFull = false;
  const destination: LogDestination = {
    write(line) {
      if (isFull) lost += 1;
      else lines.push(line.trimEnd());
    },
    flush: () => Promise.resolve(),
    linesLost: () => lost,
  };
  return {
    lines,
    destination,
    /** Has what was written last turn out as lost, as a disk does that is full only when it is written to. */
    loseLast() {
      lines.pop();
      lost += 1;
    },
    setFull(full: boolean) {
      isFull = full;
    },
  };
}

function chainedLogger(id = 'chain-a') {
  const log = memoryLog();
  const logger = createLogger({ level: 'info' }, log.destination);
  logger.event('process.started', { pid: 1 });
  logger.beginChain(id);
  logger.event('audit.chain_began');
  return { ...log, logger };
}

/** The log of one process: approvals in a chain, with lines of another kind between them. */
function written(approvals: number, { id = 'chain-a', isEnded = true } = {}): string[] {
  const { lines, logger } = chainedLogger(id);
  for (let count = 0; count < approvals; count += 1) {
    logger.event('storage.recovered', { seconds: count });
    logger.event('grant.approved', { client: 'tv', account: `person ${count} "quoted" ✓` });
  }
  if (isEnded) logger.event('audit.chain_ended');
  return lines;
}

function verified(...files: string[][]) {
  const verifier = createChainVerifier();
  for (const [index, lines] of files.entries()) {
    for (const [at, text] of lines.entries()) {
      verifier.read({ file: `log.${index}`, line: at + 1 }, text, JSON.parse(text));
    }
  }
  const { chains, problems, unwritten, loose } = verifier.end();
  const said = ({ file, line, text }: { file: string; line: number; text: string }) => `${file}:${line} ${text}`;
  return { chains, problems: problems.map(said), unwritten: unwritten.map(said), loose };
}

function indexOf(lines: readonly string[], account: string): number {
  return lines.findIndex((line) => line.includes(account));
}

/** A line with another content and the hash that fits it. */
function forged(line: string, change: (line: string) => string): string {
  const text = change(line).replace(/,"hash":"[^"]*"}$/, '}');
  const hash = createHash('sha256').update(text).digest('base64url');
  return `${text.slice(0, -1)},"hash":"${hash}"}`;
}

describe('the chain of the log', () => {
  it('links the audit lines and leaves the others alone', () => {
    const lines = written(3);
    const chained = lines.map((line) => JSON.parse(line)).filter(({ chain }) => chain !== undefined);
    expect(chained.map(({ event, number }) => [event, number])).toEqual([
      ['audit.chain_began', 0],
      ['grant.approved', 1],
      ['grant.approved', 2],
      ['grant.approved', 3],
      ['audit.chain_ended', 4],
    ]);
    expect(chained.slice(1).map(({ previous }) => previous)).toEqual(chained.slice(0, -1).map(({ hash }) => hash));
    expect(chained[0]).not.toHaveProperty('previous');
    expect(verified(lines)).toMatchObject({
      problems: [],
      chains: [{ id: 'chain-a', lines: 5, first: { number: 0 }, last: { number: 4 }, hasEnded: true }],
    });
  });

  it('uses no name that a field has', () => {
    expect(Object.keys(LOG_FIELDS).filter((field) => /^(chain|number|previous|lost|hash)$/.test(field))).toEqual([]);
  });

  it('has no link that was never written, and says how many lines there was no room for', () => {
    const { lines, logger, setFull } = chainedLogger();
    setFull(true);
    for (let count = 0; count < 7; count += 1) logger.event('grant.approved', { client: 'lost' });
    setFull(false);
    logger.event('grant.approved', { client: 'kept' });
    logger.event('grant.approved', { client: 'later' });
    const { problems, unwritten } = verified(lines);
    expect([problems, unwritten]).toEqual([[], []]);
    expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ client: 'kept', number: 1, lost: 7 });
    expect(JSON.parse(lines.at(-1) ?? '')).not.toHaveProperty('lost');
  });
});

describe('verifying a chain', () => {
  it('says in which line something was changed', () => {
    const lines = written(4);
    const at = indexOf(lines, 'person 1');
    lines[at] = (lines[at] ?? '').replace('person 1', 'mallory');
    expect(verified(lines).problems).toEqual([`log.0:${at + 1} was changed: its hash is another`]);
  });

  it('says so for the last line of a log that goes on', () => {
    const lines = written(4, { isEnded: false });
    lines[lines.length - 1] = (lines.at(-1) ?? '').replace('person 3', 'mallory');
    expect(verified(lines).problems).toEqual([`log.0:${lines.length} was changed: its hash is another`]);
  });

  it('says where a line was changed together with its hash', () => {
    const lines = written(4);
    const at = indexOf(lines, 'person 1');
    lines[at] = forged(lines[at] ?? '', (line) => line.replace('person 1', 'mallory'));
    expect(verified(lines).problems).toEqual([
      `log.0:${indexOf(lines, 'person 2') + 1} does not follow line ${at + 1}: one of the two was changed, and its hash with it`,
    ]);
  });

  it.each([
    [1, '1 line of this chain is'],
    [3, '3 lines of this chain are'],
  ])('says between which lines %i were taken out', (count, words) => {
    const lines = written(6);
    const at = indexOf(lines, 'person 1');
    const kept = lines.filter((line, index) => index < at || index >= at + 2 * count || !line.includes('"chain"'));
    const [before, after] = [indexOf(kept, 'person 0'), indexOf(kept, `person ${1 + count}`)];
    expect(verified(kept).problems).toEqual([
      `log.0:${after + 1} ${words} missing between line ${before + 1} and this one`,
    ]);
  });

  it('sees a line that was taken out of its chain, and one that was put in without', () => {
    const lines = written(4);
    const at = indexOf(lines, 'person 1');
    lines[at] = (lines[at] ?? '').replace(/,"chain".*/, '}');
    const { problems, loose } = verified(lines);
    expect(problems).toEqual([expect.stringContaining('1 line of this chain is missing')]);
    expect(loose).toEqual([{ file: 'log.0', line: at + 1 }]);
  });

  it('sees lines that change places, and one that stands twice is no harm', () => {
    const lines = written(4);
    const at = indexOf(lines, 'person 1');
    const twice = [...lines.slice(0, at + 1), lines[at] ?? '', ...lines.slice(at + 1)];
    expect(verified(twice).problems).toEqual([]);
    const swapped = [...lines];
    [swapped[at], swapped[at + 2]] = [lines[at + 2] ?? '', lines[at] ?? ''];
    expect(verified(swapped).problems).toEqual([
      expect.stringContaining('1 line of this chain is missing'),
      expect.stringContaining('is number 2 of its chain, and stands after number 3'),
    ]);
  });

  it('sees what was put behind the end', () => {
    const lines = written(2);
    const last = JSON.parse(lines.at(-1) ?? '');
    lines.push(
      forged(lines[indexOf(lines, 'person 1')] ?? '', (line) =>
        line
          .replace(/"number":\d+/, `"number":${last.number + 1}`)
          .replace(/"previous":"[^"]*"/, `"previous":"${last.hash}"`),
      ),
    );
    expect(verified(lines).problems).toEqual([expect.stringContaining('follows the end of its chain')]);
  });

  it('follows chains of several processes in one file, and over the files of a rotation', () => {
    const [one, other] = [written(6), written(6, { id: 'chain-b' })];
    const mixed = one.flatMap((line, index) => [line, other[index] ?? '']);
    const { chains, problems } = verified(mixed.slice(0, 11), mixed.slice(11));
    expect(problems).toEqual([]);
    expect(chains).toMatchObject([
      { id: 'chain-a', lines: 8, hasEnded: true },
      { id: 'chain-b', lines: 8, hasEnded: true },
    ]);
    expect(verified(mixed.slice(0, 11), mixed.slice(15)).problems).toEqual([
      expect.stringMatching(/^log\.1:\d+ .* missing between line \d+ of log\.0 and this one$/),
      expect.stringMatching(/^log\.1:\d+ .* missing between line \d+ of log\.0 and this one$/),
    ]);
  });

  it('says how far a chain reaches where its beginning or end is not there', () => {
    const lines = written(4);
    const { chains, problems } = verified(lines.slice(5, -1));
    expect(problems).toEqual([]);
    expect(chains).toMatchObject([{ first: { line: 1, number: 2 }, last: { number: 4 }, hasEnded: false }]);
  });

  it('says apart what the process itself could not write, and takes no more than that for it', () => {
    const { lines, logger, loseLast } = chainedLogger();
    for (const account of ['a', 'b', 'c', 'd']) {
      logger.event('grant.approved', { account });
      if (account === 'b') loseLast();
    }
    expect(verified(lines)).toMatchObject({ problems: [], unwritten: [expect.stringContaining('could not write 1')] });
    const more = lines.filter((line) => !line.includes('"account":"a"'));
    expect(verified(more).problems).toEqual([expect.stringContaining('2 lines of this chain are missing')]);
  });
});
