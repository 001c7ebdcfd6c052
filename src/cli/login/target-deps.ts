import type { Environment } from '../../config/environment.ts';

/** Of what the command has around it. */
export interface TargetDeps {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean | undefined };
  stderr: { write(text: string): unknown };
  environment: Environment;
  folder: string;
  fetch: typeof fetch;
  signal: AbortSignal;
}
