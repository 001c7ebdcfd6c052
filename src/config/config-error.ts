/** One thing that is wrong with the configuration, and where. */
export interface Problem {
  file: string;
  /** Both count from 1. */
  line: number;
  column: number;
  /** Dotted: `clients.build-cli.interval`, `clients.build-cli.scopes.allowed[2]`. */
  key: string;
  /** What was found and what is expected; never a secret. */
  text: string;
}

export function formatProblem({ file, line, column, key, text }: Problem): string {
  return `${file}:${line}:${column} ${key}: ${text}`;
}

/**
 * Everything that is wrong with a configuration, at once. A process that cannot go on without it exits with 78.
 *
 * @example
 * ```ts
 * import { ConfigError, loadConfig } from 'gatehouse-broker';
 *
 * try {
 *   await loadConfig('gatehouse.yaml');
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error;
 *   console.error(error.message); // every problem, as file:line:col
 *   process.exitCode = 78;
 * }
 * ```
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? 'unknown reason';
}
