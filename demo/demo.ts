/**
 * `npm run demo`: an identity provider, a broker and a device on this machine, and one sign-in through all three. With
 * `-- --auto` a script plays the person; it exits 0 only if tokens arrived and verified. Nothing here is an example of
 * how to run Gatehouse: `gatehouse start` is.
 */
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { login } from '../src/cli/login/login.ts';
import { processEnvironment } from '../src/config/environment.ts';
import { type DemoBroker, PortTakenError, startDemoBroker } from './demo-broker.ts';
import { approve } from './scripted-person.ts';
import { verifyTokens } from './verify-tokens.ts';

const usage = `Usage: npm run demo -- [options]

  --auto      a script plays the person, and the demo ends by itself
  --port N    where the broker listens (8080; 0 takes a free port)
`;
const autoSeconds = 30;

interface StartedGrant {
  userCode: string;
  verificationUri: string;
}

process.exitCode = await demo(process.argv.slice(2));

async function demo(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === undefined) {
    process.stderr.write(usage);
    return 64;
  }
  const { port, auto } = options;
  let broker: DemoBroker;
  try {
    broker = await startDemoBroker(port);
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error;
    say(`Port ${port} is taken by another program. Choose another one: npm run demo -- --port ${port + 1}`);
    return 1;
  }
  try {
    introduce(broker);
    return await signIn(broker, auto);
  } finally {
    await broker.close();
  }
}

function introduce({ publicUrl, upstream, client }: DemoBroker): void {
  const names = upstream.users.map(({ name }) => name).join(' or ');
  say('Gatehouse demo: everything runs on this machine and is gone at the end.');
  say(`  broker     ${publicUrl}`);
  say(`  provider   ${upstream.issuer} (${upstream.displayName})`);
  say(`  device     this terminal, as “${client.name}”`);
  say(`Sign in as ${names}; nobody there has a password.`);
  say('');
}

async function signIn(broker: DemoBroker, auto: boolean): Promise<number> {
  const { publicUrl, client } = broker;
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt);
  const watchdog = auto ? setTimeout(interrupt, autoSeconds * 1000) : undefined;
  let started: StartedGrant | undefined;
  let person: Promise<void> | undefined;
  let response = '';
  try {
    const scopes = client.scopes.flatMap((scope) => ['--scope', scope]);
    const args = ['--issuer', publicUrl, '--client-id', client.id, ...scopes, '--json', ...(auto ? ['--plain'] : [])];
    const exitCode = await login(args, {
      stdin: auto ? new PassThrough() : process.stdin,
      stdout: { write: (text) => (response += text) },
      stderr: process.stdout,
      environment: processEnvironment(),
      signal: interruption.signal,
      now: Date.now,
      sleep(milliseconds, signal) {
        // The first pause comes when the code has been shown, which is when a person begins.
        if (auto && started !== undefined) person ??= playPerson(broker, started, interruption);
        return delay(milliseconds, undefined, { signal });
      },
      fetch: watchStart((grant) => {
        started = grant;
      }),
    });
    await person;
    if (exitCode === 130) return auto ? 1 : 0;
    if (exitCode !== 0) return exitCode;
    const { subject, algorithm } = await verifyTokens(publicUrl, client.id, JSON.parse(response));
    say(`The access token is verified: ${algorithm}, by ${publicUrl}, for ${subject}.`);
    return 0;
  } finally {
    clearTimeout(watchdog);
    process.off('SIGINT', interrupt);
  }
}

/** The person's part; when it fails, the device need not wait for the code to run out. */
async function playPerson(broker: DemoBroker, grant: StartedGrant, interruption: AbortController): Promise<void> {
  const onStep = (step: string): void => say(`Person: ${step}`);
  try {
    const page = await approve(grant.verificationUri, grant.userCode, broker.upstream.users[0]?.subject ?? '', {
      onStep,
    });
    say(`Person: is told “${page.heading}”`);
    if (page.url.pathname !== '/device/done') {
      throw new Error(`the way ended at ${page.url.href} with status ${page.status}`);
    }
  } catch (error) {
    say(`Person: gives up, ${String(error)}`);
    interruption.abort();
  }
}

/** Tells the codes as the device gets them. */
function watchStart(onStart: (grant: StartedGrant) => void): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (String(input instanceof Request ? input.url : input).endsWith('/device_authorization') && response.ok) {
      const { user_code: userCode, verification_uri: verificationUri } = (await response.clone().json()) as Record<
        string,
        string
      >;
      if (userCode !== undefined && verificationUri !== undefined) onStart({ userCode, verificationUri });
    }
    return response;
  };
}

function readOptions(argv: readonly string[]): { auto: boolean; port: number } | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { auto: { type: 'boolean', default: false }, port: { type: 'string', default: '8080' } },
    });
    const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : 65536;
    return port > 65535 ? undefined : { auto: values.auto, port };
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
