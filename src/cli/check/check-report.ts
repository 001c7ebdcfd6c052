import { formatProblem, type Problem } from '../../config/config-error.ts';
import { printableLines } from '../terminal/printable.ts';

/** One thing that a check has to say of what it asked. */
export interface Finding {
  about: string;
  level: 'ok' | 'note' | 'advice' | 'missing' | 'away' | 'wrong';
  text: string;
}

export interface CheckReport {
  /** What was understood, for people. */
  describe(lines: readonly string[]): void;
  problems(problems: readonly Problem[]): void;
  warnings(warnings: readonly Problem[]): void;
  finding(finding: Finding): void;
  /** The last line: how much is wrong, and how much is to be looked at. */
  verdict(): void;
}

/**
 * What `gatehouse check` says, and counts of it. For people problems go to stderr and all else to stdout; with `--json`
 * each finding is a line of JSON on stdout, and the verdict is the last of them.
 */
export function createCheckReport({ isJson }: { isJson: boolean }): CheckReport {
  let wrong = 0;
  let toLookAt = 0;
  const out = (line: string) => process.stdout.write(`${printableLines(line)}\n`);
  const json = (value: object) => out(JSON.stringify(value));

  return {
    describe(lines) {
      if (!isJson) out(lines.join('\n'));
    },
    problems(problems) {
      wrong += problems.length;
      for (const problem of problems) {
        if (isJson) json({ level: 'wrong', ...problem });
        else process.stderr.write(`${printableLines(formatProblem(problem))}\n`);
      }
    },
    warnings(warnings) {
      toLookAt += warnings.length;
      for (const warning of warnings) {
        if (isJson) json({ level: 'warning', ...warning });
        else process.stderr.write(`warning: ${printableLines(formatProblem(warning))}\n`);
      }
    },
    finding({ about, level, text }) {
      if (level === 'wrong' || level === 'away') wrong += 1;
      if (level === 'advice' || level === 'missing') toLookAt += 1;
      if (isJson) json({ level, about, text });
      else out(level === 'note' ? `${about}: ${text}` : `${about}: ${level}: ${text}`);
    },
    verdict() {
      const verdict = `${wrong} wrong, ${toLookAt} to look at`;
      if (isJson) json({ verdict, wrong, to_look_at: toLookAt });
      else out(verdict);
    },
  };
}
