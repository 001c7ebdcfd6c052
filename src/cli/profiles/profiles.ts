import { processEnvironment } from '../../config/environment.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { readArguments } from '../read-arguments.ts';
import { profilesTable } from '../tables/daily/profiles-table.ts';
import { printable } from '../terminal/printable.ts';
import type { Profile } from './profile.ts';
import { profileFiles } from './profile-files.ts';
import { ProfileFileError, stateFolder } from './state-folder.ts';

/** What is shown of one: nothing in here opens anything. */
interface Row {
  profile: string;
  issuer: string;
  client_id: string;
  person: string | null;
  /** Whether tokens come without a person. */
  renews: boolean;
  /** Of the longest kept access token; `null` where none is kept, or its end is not known. */
  token_until: string | null;
}

/** `gatehouse profiles`; answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const { values } = readArguments(profilesTable, argv);
  const rows: Row[] = [];
  let exitCode: number = EXIT.done;
  try {
    const files = profileFiles(stateFolder(processEnvironment()));
    for (const name of files.names()) {
      try {
        const profile = files.read(name);
        if (profile !== undefined) rows.push(rowOf(profile, Date.now()));
      } catch (error) {
        exitCode = told(error);
      }
    }
  } catch (error) {
    return told(error);
  }
  if (values.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else process.stdout.write(listed(rows));
  return exitCode;
}

function told(error: unknown): number {
  if (!(error instanceof ProfileFileError)) throw error;
  complain('profiles', error.message);
  return EXIT.failed;
}

function rowOf(profile: Profile, nowMs: number): Row {
  const ends = profile.tokens.map(({ expiresAtMs }) => expiresAtMs ?? Number.NaN).filter((end) => end > nowMs);
  return {
    profile: profile.name,
    issuer: printable(profile.issuer),
    client_id: printable(profile.clientId),
    person: profile.person === undefined ? null : printable(profile.person),
    renews: profile.refreshToken !== undefined,
    token_until: ends.length === 0 ? null : new Date(Math.max(...ends)).toISOString(),
  };
}

function listed(rows: readonly Row[]): string {
  if (rows.length === 0) return 'No sign-in is kept. To make one: gatehouse login\n';
  const table = [
    ['PROFILE', 'ISSUER', 'CLIENT', 'SIGNED IN', 'GOOD'],
    ...rows.map((row) => [row.profile, row.issuer, row.client_id, row.person ?? '', goodness(row)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function goodness({ renews, token_until: until }: Row): string {
  if (renews) return 'renews by itself';
  return until === null ? 'no: gatehouse login' : `until ${until}`;
}
