import { LOG_EVENTS, type LogEventName } from '../log-events.ts';
import { auditClass } from './audit-events.ts';
import { type ChainLink, readChainLink } from './log-chain.ts';

export interface LogPlace {
  file: string;
  /** From 1. */
  line: number;
}

export interface ChainProblem extends LogPlace {
  text: string;
}

export interface ChainReport {
  id: string;
  /** How many of its lines were read. */
  lines: number;
  first: LogPlace & { number: number };
  last: LogPlace & { number: number };
  hasEnded: boolean;
}

export interface ChainFindings {
  chains: readonly ChainReport[];
  problems: readonly ChainProblem[];
  /** Where lines are missing, no more of them than the process says that it could not write there. */
  unwritten: readonly ChainProblem[];
  /** What no chain answers for: lines from before it was switched on, or that somebody put in. */
  loose: readonly LogPlace[];
}

interface Chain extends ChainReport {
  hash: string;
}

/**
 * Reads a log line by line and says where its chains are broken. Each process has a chain of its own, so several may
 * stand in one file, and one may go on in the next. What is before the first line that is there, or after the last, a
 * chain cannot know by itself; the report says how far it reaches.
 */
export function createChainVerifier() {
  const chains = new Map<string, Chain>();
  const problems: ChainProblem[] = [];
  const unwritten: ChainProblem[] = [];
  const loose: LogPlace[] = [];

  function follow(chain: Chain, link: ChainLink, place: LogPlace): void {
    const { number, previous, lost } = link;
    const { last } = chain;
    const after = `line ${last.line}${last.file === place.file ? '' : ` of ${last.file}`}`;
    const say = (text: string) => problems.push({ ...place, text });
    const isAgain = number === last.number && link.hash === chain.hash;
    if (isAgain) return;
    if (number <= last.number) {
      say(`is number ${number} of its chain, and stands after number ${last.number} (${after})`);
      return;
    }
    if (chain.hasEnded) say(`follows the end of its chain (${after})`);
    const missing = number - last.number - 1;
    if (missing === 0) {
      if (previous !== chain.hash) say(`does not follow ${after}: one of the two was changed, and its hash with it`);
      return;
    }
    const many = missing === 1 ? '1 line of this chain is' : `${missing} lines of this chain are`;
    const where = `${many} missing between ${after} and this one`;
    if (missing > lost) say(where);
    else unwritten.push({ ...place, text: `${where}; the process says that it could not write ${lost} lines there` });
  }

  return {
    /** @param text the JSON object of the line, as it was written */
    read(place: LogPlace, text: string, line: Readonly<Record<string, unknown>>): void {
      const link = readChainLink(text, line);
      if (link === undefined) {
        if (isAuditLine(line)) loose.push(place);
        return;
      }
      const { id, number, hash, previous } = link;
      if (!link.isWhole) problems.push({ ...place, text: 'was changed: its hash is another' });
      const at = { ...place, number };
      const chain = chains.get(id);
      const hasEnded = line['event'] === 'audit.chain_ended';
      if (chain === undefined) {
        if ((number === 0) !== (previous === undefined)) problems.push({ ...place, text: 'was changed: its place' });
        chains.set(id, { id, lines: 1, first: at, last: at, hash, hasEnded });
        return;
      }
      follow(chain, link, place);
      chain.lines += 1;
      if (number > chain.last.number) Object.assign(chain, { last: at, hash, hasEnded: chain.hasEnded || hasEnded });
    },
    end: (): ChainFindings => ({ chains: [...chains.values()], problems, unwritten, loose }),
  };
}

function isAuditLine({ event }: Readonly<Record<string, unknown>>): boolean {
  return (
    typeof event === 'string' && Object.hasOwn(LOG_EVENTS, event) && auditClass(event as LogEventName) !== undefined
  );
}
