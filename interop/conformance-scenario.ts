import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FieldResult } from './field-page.ts';
import { check, type Scenario } from './peer.ts';
import { lastLines, startProgram } from './program.ts';

export interface JudgedServer {
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  /** More options of `gatehouse conformance`. */
  args?: readonly string[];
}

const TYPESCRIPT = [process.execPath, '--import', 'tsx'];
const COMMAND = [...TYPESCRIPT, new URL('../src/cli/gatehouse.ts', import.meta.url).pathname];
const PERSON = [...TYPESCRIPT, new URL('approve-device.ts', import.meta.url).pathname].join(' ');

/** What was found at each, for the page; the runner writes it. */
export const fieldResults = new Map<string, FieldResult>();

/** `gatehouse conformance` at somebody's server. What it finds there is no fault of this run. */
export function conformanceScenario(peer: string, version: string, server: JudgedServer, of = ''): Scenario {
  return {
    name: `conformance${of}`,
    limitSeconds: 240,
    isLong: true,
    cell: '[judged](conformance-of-the-field.md)',
    async run() {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'));
      const file = join(folder, 'results.json');
      try {
        const { issuer, clientId, scopes, args = [] } = server;
        const options = [
          '--issuer',
          issuer,
          '--client-id',
          clientId,
          '--approve-with',
          PERSON,
          '--json',
          file,
          ...args,
        ];
        const asked = scopes.flatMap((scope) => ['--scope', scope]);
        const program = startProgram([...COMMAND, 'conformance', ...options, ...asked], {
          environment: { NO_COLOR: '1', NODE_NO_WARNINGS: '1' },
        });
        const exitCode = await program.exited;
        check(exitCode <= 1, `exit ${exitCode}: ${lastLines(program.output(), 6)}`);
        const found = JSON.parse(await readFile(file, 'utf8')) as Pick<FieldResult, 'checks' | 'at'>;
        // A check that nobody could make says nothing of the server.
        const unmade = found.checks.filter(({ detail }) => /could not (approve|deny|be asked)/.test(detail));
        check(unmade.length === 0, `${unmade.map(({ id, detail }) => `${id}: ${detail}`).join(', ')}`);
        fieldResults.set(peer, { peer, version, at: found.at, checks: found.checks });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
