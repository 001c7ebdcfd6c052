/**
 * `npm run demo`: an identity provider, a broker and a device on this machine, and one sign-in through all three. With
 * `-- --auto` a script plays the person; it exits 0 only if tokens arrived and verified, were refreshed, and the refresh was refused once
 * the person had ended the device. Nothing here is an example of how to run Gatehouse: `gatehouse start` is.
 */
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { login } from '../src/cli/login/login.ts';
import { processEnvironment } from '../src/config/environment.ts';
import { onPath } from '../test/support/programs.ts';
import { type DemoBroker, PortTakenError, startDemoBroker } from './demo-broker.ts';
import { DemoDevice, type TokenResponse } from './demo-device.ts';
import { approve, endDevice } from './scripted-person.ts';
import { verifyTokens } from './verify-tokens.ts';

const usage = `Usage: npm run demo -- [options]

  --auto      a script plays the person, and the demo ends by itself
  --port N    where the broker listens (8080; 0 takes a free port)
  --keycloak  a real Keycloak as the provider; needs Java, and brings 180 MB the first time
`;
const autoSeconds = 30;
/** How often the device refreshes, so that an end at the page shows soon. */
const refreshSeconds = 5;

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
  const { port, auto, keycloak } = options;
  let broker: DemoBroker;
  if (keycloak) say('Starting Keycloak; the first time it is brought and built, which takes some minutes.');
  try {
    const upstream = keycloak ? (await import('./keycloak-upstream.ts')).keycloakDemoUpstream : undefined;
    broker = await startDemoBroker(port, upstream);
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error;
    say(`Port ${port} is taken by another program. Choose another one: npm run demo -- --port ${port + 1}`);
    return 1;
  }
  try {
    introduce(broker, keycloak);
    return await signIn(broker, auto);
  } finally {
    await broker.close();
  }
}

function introduce({ publicUrl, upstream, client }: DemoBroker, isKeycloak: boolean): void {
  const names = upstream.users.map(({ name }) => name).join(' or ');
  say('Gatehouse demo: everything runs on this machine and is gone at the end.');
  say(`  broker     ${publicUrl}`);
  say(`  provider   ${upstream.issuer} (${upstream.displayName})`);
  say(`  device     this terminal, as “${client.name}”`);
  say(`Sign in as ${names}; ${upstream.signIn}.`);
  if (!isKeycloak && onPath('java') !== undefined) say('With a real Keycloak in its place: npm run demo -- --keycloak');
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
      folder: process.cwd(),
      platform: process.platform,
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
    const device = new DemoDevice(broker, JSON.parse(response) as TokenResponse);
    return await (auto ? endByScript(device, broker) : serveUntilInterrupted(device, broker, interruption.signal));
  } finally {
    clearTimeout(watchdog);
    process.off('SIGINT', interrupt);
  }
}

/** Refreshes once, and is ended: as a person may do it at the page. */
async function endByScript(device: DemoDevice, { publicUrl, upstream }: DemoBroker): Promise<number> {
  say(await device.refresh());
  const onStep = (step: string): void => say(`Person: ${step}`);
  await endDevice(`${publicUrl}/sessions`, upstream.users[0]?.subject ?? '', { onStep });
  say(await device.refresh());
  return device.hasEnded ? 0 : 1;
}

/** What the pages can do after a sign-in is tried by hand: the device goes on refreshing, and says when it is ended. */
async function serveUntilInterrupted(
  device: DemoDevice,
  { publicUrl }: DemoBroker,
  signal: AbortSignal,
): Promise<number> {
  say('');
  say(`The device refreshes every ${refreshSeconds} s. Try “Undo” on the page in your browser, or your devices:`);
  say(`  ${publicUrl}/sessions`);
  say('Ctrl-C ends the demo.');
  say(await device.refresh());
  while (!signal.aborted) {
    await delay(refreshSeconds * 1000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted || device.hasEnded) continue;
    const said = await device.refresh();
    if (device.hasEnded) say(said);
  }
  say('Stopped.');
  return 0;
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

function readOptions(argv: readonly string[]): { auto: boolean; keycloak: boolean; port: number } | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        auto: { type: 'boolean', default: false },
        keycloak: { type: 'boolean', default: false },
        port: { type: 'string', default: '8080' },
      },
    });
    const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : 65536;
    return port > 65535 ? undefined : { auto: values.auto, keycloak: values.keycloak, port };
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
