/**
 * `gatehouse conformance`: judges any server of the device flow (RFC 8628) from outside, by the protocol alone. One file has
 * the checks of one subject; what a check cannot see it says, with what would make it seen.
 */

import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { processEnvironment } from '../../config/environment.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { readClientSecret } from '../login/client-secret.ts';
import { assertSafeAddress } from '../login/safe-fetch.ts';
import { readArguments, UsageError } from '../read-arguments.ts';
import type { ValuesOf } from '../tables/command-table.ts';
import { conformanceTable } from '../tables/conformance-table.ts';
import { VERSION } from '../version.ts';
import { approveWith } from './approve-with.ts';
import { CannotBeSeenError } from './cannot-be-seen-error.ts';
import { type FoundServer, findServer } from './find-server.ts';
import { allChecks, estimatedSeconds, judgeServer } from './judge-server.ts';
import { countsOf, type Judged, reportJson, reportJunit, reportTable } from './report.ts';
import { type Approach, askFor, MAX_REQUESTS, ServerUnderTest } from './server-under-test.ts';

const DEFAULT_STARTS = 20;
const DEFAULT_WAIT_SECONDS = 60;
const MOST_STARTS = 100;
const MOST_WAIT_SECONDS = 600;

type Values = ValuesOf<typeof conformanceTable>;

export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(conformanceTable, argv);
  const approach = await approachOf(values);
  const beganMs = Date.now();
  let found: FoundServer;
  try {
    const named = { start: values['device-authorization-endpoint'], token: values['token-endpoint'] };
    found = await findServer(new URL(approach.issuer), named, (address) => askFor(fetch, address));
  } catch (error) {
    complain('conformance', wordsOf(error));
    return EXIT.failed;
  }
  const server = new ServerUnderTest(approach, found);
  // How long codes live, and how often they are polled, is known then. That none come is told by the checks.
  await server.start().catch((error: unknown) => {
    if (!(error instanceof CannotBeSeenError)) throw error;
  });
  process.stderr.write(
    `${allChecks().length} checks, about ${estimatedSeconds(server)} s, at most ${MAX_REQUESTS} requests; each device keeps its interval, but where haste is what is tried.\n`,
  );
  const results = await judgeServer(server);
  process.stdout.write(reportTable(results));
  const seconds = Math.round((Date.now() - beganMs) / 1000);
  const at = new Date().toISOString();
  const judged: Judged = {
    issuer: approach.issuer,
    clientId: approach.clientId,
    at,
    seconds,
    version: VERSION,
    results,
  };
  if (values.json !== undefined) await writeFile(values.json, reportJson(judged));
  if (values.junit !== undefined) await writeFile(values.junit, reportJunit(judged));
  return countsOf(results).mustFails === 0 ? EXIT.done : EXIT.failed;
}

async function approachOf(values: Values): Promise<Approach> {
  const { issuer = '', 'client-id': clientId = '', 'approve-with': command, 'client-secret-file': file } = values;
  if (!URL.canParse(issuer)) throw new UsageError('--issuer is missing: an address such as https://login.example.com');
  if (clientId === '') throw new UsageError('--client-id is missing: the client that is registered at the server');
  try {
    assertSafeAddress(issuer);
  } catch (error) {
    throw new UsageError(wordsOf(error));
  }
  const environment = processEnvironment();
  return {
    ...{ issuer, clientId, otherClientId: values['other-client-id'] },
    clientSecret: await readClientSecret(file === undefined ? undefined : { file }, environment),
    scopes: (values.scope ?? []).flatMap((scope) => scope.split(/\s+/)).filter((scope) => scope !== ''),
    starts: wholeNumber('--starts', values.starts, DEFAULT_STARTS, MOST_STARTS),
    waitSeconds: wholeNumber('--wait', values.wait, DEFAULT_WAIT_SECONDS, MOST_WAIT_SECONDS),
    decide: command === undefined ? undefined : approveWith(command, environment),
    ...{ fetch, now: Date.now, sleep: (milliseconds: number) => delay(milliseconds) },
  };
}

function wholeNumber(option: string, written: string | undefined, fallback: number, most: number): number {
  if (written === undefined) return fallback;
  const value = /^\d{1,4}$/.test(written) ? Number(written) : Number.NaN;
  if (value >= 2 && value <= most) return value;
  throw new UsageError(`${option} takes a whole number from 2 to ${most}`);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
