import type { VisitedPage } from '../demo/scripted-person.ts';
import { check, type Scenario } from './peer.ts';
import { playPerson, type Visit } from './person.ts';
import { lastLines, startProgram } from './program.ts';

export interface LoginServer {
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  /** More options of `gatehouse login`. */
  args?: readonly string[];
  visit: Omit<Visit, 'verificationUri' | 'userCode'>;
  /** Whether its pages ask, so that a person can say no. */
  canDeny?: boolean;
}

const COMMAND = [process.execPath, '--import', 'tsx', new URL('../src/cli/gatehouse.ts', import.meta.url).pathname];
const EXIT_DENIED = 3;

/** `gatehouse login` as a real device client at somebody else's server. */
export function loginScenarios(server: LoginServer): Scenario[] {
  const deny: Scenario = {
    name: 'gatehouse login, denied',
    limitSeconds: 90,
    async run() {
      const { exitCode, output } = await login(server, true);
      check(exitCode === EXIT_DENIED, `exit ${exitCode}: ${lastLines(output, 6)}`);
    },
  };
  return [
    // First, since some remember a yes and ask no more.
    ...(server.canDeny === false ? [] : [deny]),
    {
      name: 'gatehouse login',
      limitSeconds: 90,
      async run() {
        const { exitCode, output } = await login(server, false);
        check(exitCode === 0 && output.includes('access_token'), `exit ${exitCode}: ${lastLines(output, 6)}`);
      },
    },
  ];
}

async function login({ issuer, clientId, scopes, args = [], visit }: LoginServer, deniesUpstream: boolean) {
  const options = ['--issuer', issuer, '--client-id', clientId, '--json', '--plain', ...args];
  const asked = scopes.flatMap((scope) => ['--scope', scope]);
  let address: string | undefined;
  let person: Promise<VisitedPage | Error> | undefined;
  const program = startProgram([...COMMAND, 'login', ...options, ...asked], {
    environment: { NO_COLOR: '1', NODE_NO_WARNINGS: '1' },
    onLine(line) {
      address ??= /https?:\/\/\S+/.exec(line)?.[0];
      // The code stands once, alone on its line.
      const code = /^\s*([A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8})*)\s*$/i.exec(line)?.[1];
      if (person !== undefined || code === undefined || address === undefined) return;
      person = playPerson({ ...visit, verificationUri: address, userCode: code, deniesUpstream }).catch(
        (error: Error) => error,
      );
    },
  });
  // A person who came to the end and decided nothing would be waited for until the code is over.
  const limit = setTimeout(() => void program.stop(), 45_000);
  const exitCode = await program.exited;
  clearTimeout(limit);
  await program.stop();
  const page = await person;
  if (page === undefined || page instanceof Error) throw page ?? new Error(`no code came: ${program.output()}`);
  const ended = `; the person ended at ${page.status} ${page.url.href} “${page.heading}”`;
  return { exitCode, output: program.output() + ended };
}
