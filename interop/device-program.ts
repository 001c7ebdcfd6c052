import { check } from './peer.ts';
import { lastLines, startProgram } from './program.ts';

/**
 * A client library in a small program of ours (`programs/`), which does with it what its manual says and writes one JSON
 * object per line: `{"code": …}` when there is something to show, `{"tokens": …}`, `{"refreshed": …}`, and
 * `{"refused": "…"}` with whatever its library threw. It is told where to go by the environment.
 */
export interface DeviceProgram {
  command: readonly string[];
  cwd?: string;
  environment?: Readonly<Record<string, string>>;
}

export interface DeviceEvents {
  tokens: TokenAnswer[];
  refreshed: TokenAnswer[];
  refused: string | undefined;
  /** Other things that it said about itself. */
  said: Record<string, unknown>[];
  exitCode: number;
  output: string;
  /** When the last tokens came, in milliseconds since the epoch. */
  tokensAtMs: number;
}

export interface TokenAnswer {
  access_token: string;
  refresh_token?: string;
  id_token?: string;
}

export interface ShownCode {
  user_code: string;
  verification_uri: string;
  verification_uri_complete?: string;
}

export async function runDevice(
  { command, cwd, environment }: DeviceProgram,
  told: Readonly<Record<string, string>>,
  onCode: (code: ShownCode) => Promise<void>,
): Promise<DeviceEvents> {
  const seen: DeviceEvents = {
    ...{ tokens: [], refreshed: [], refused: undefined, said: [], exitCode: 0, output: '', tokensAtMs: 0 },
  };
  const visits: Promise<unknown>[] = [];
  // Without its person a device would poll until its code is over.
  const visit = (code: ShownCode) =>
    onCode(code).catch(async (error: unknown) => {
      await program.stop();
      return error;
    });
  const program = startProgram(command, {
    ...(cwd !== undefined && { cwd }),
    environment: { ...environment, ...told, PYTHONUNBUFFERED: '1' },
    onLine(line) {
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as Record<string, unknown>;
      if (said['code'] !== undefined) visits.push(visit(said['code'] as ShownCode));
      else if (said['tokens'] !== undefined) {
        seen.tokensAtMs = Date.now();
        seen.tokens.push(said['tokens'] as TokenAnswer);
      } else if (said['refreshed'] !== undefined) seen.refreshed.push(said['refreshed'] as TokenAnswer);
      else if (said['refused'] !== undefined) seen.refused = JSON.stringify(said['refused']);
      else seen.said.push(said);
    },
  });
  const exitCode = await program.exited;
  await program.stop();
  for (const outcome of await Promise.all(visits)) if (outcome instanceof Error) throw outcome;
  return { ...seen, exitCode, output: program.output() };
}

/** The last of what it wrote, where it did not do what it should. */
export function expectDevice(events: DeviceEvents, claim: unknown, words: string): void {
  check(claim, `${words}; it said: ${events.refused ?? ''} ${lastLines(events.output, 6)}`);
}
