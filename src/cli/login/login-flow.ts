import type { JsonObject } from '../../oauth/json-object.ts';
import { complaint } from '../complain.ts';
import type { Desktop } from '../terminal/desktop.ts';
import { printable } from '../terminal/printable.ts';
import { showSignInCard } from '../terminal/sign-in-card.ts';
import { openStatusLine, type StatusLine } from '../terminal/status-line.ts';
import { openTerminal, type Terminal, type TerminalStream } from '../terminal/terminal.ts';
import { openTypedLines, type TypedLines } from '../terminal/typed-lines.ts';
import { mayBrowseHere } from './browser-here.ts';
import { readClientSecret } from './client-secret.ts';
import type { ServerClient } from './connect-server.ts';
import { keepSignIn } from './keep-sign-in.ts';
import { type LoginOptions, readLoginOptions } from './login-options.ts';
import { type PollAnswer, type PollEnd, pollUntilDecided } from './login-polling.ts';
import { type LoginTarget, loginTarget } from './login-target.ts';
import { type LoopbackListener, openLoopbackListener } from './loopback-listener.ts';
import { failureInWords, type Person, personInWords, waitingInWords } from './messages.ts';
import { personKeys } from './person-keys.ts';
import { assertSafeAddress } from './safe-fetch.ts';
import { targetFault } from './target-fault.ts';

/** What the command has around it; a test brings its own. */
export interface LoginSurroundings {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean | undefined };
  stdout: TerminalStream;
  stderr: TerminalStream;
  environment: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  folder: string;
  platform: NodeJS.Platform;
  /** Absent where the person's browser is elsewhere. */
  desktop?: Desktop | undefined;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  now: () => number;
  /** Rejects at once when the signal is aborted. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  fetch: typeof fetch;
}

export interface DeviceClientDeps extends ServerClient {
  fetch: typeof fetch;
  signal: AbortSignal;
}

/** The protocol, as far as the person's way through it needs to know. */
export interface DeviceClient {
  /** The server takes a proof from a listener of ours. */
  takesProof: boolean;
  start(request: {
    scopes: readonly string[];
    resources: readonly string[];
    confirmation: 'supported' | 'required' | Pick<LoopbackListener, 'port' | 'path'> | undefined;
  }): Promise<StartedGrant>;
  poll(
    deviceCode: string,
    parameters: { resources: readonly string[]; confirmationCode: string | undefined },
  ): Promise<PollAnswer<SignedIn>>;
}

export interface StartedGrant {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  verificationUriComplete: string | undefined;
  expiresInSeconds: number;
  intervalSeconds: number | undefined;
  /** What the server will ask for after the approval: the digits that the browser shows, or the proof that it brings. */
  asksFor: 'digits' | 'loopback' | undefined;
}

export interface SignedIn {
  /** The token response as it came. */
  response: JsonObject;
  person: Person;
  /** The signer of the ID token; `undefined` where there was none, or no key to check it with. */
  idTokenIssuer: string | undefined;
}

const exit = { signedIn: 0, error: 1, denied: 3, expired: 4, wrongOptions: 64, interrupted: 130 } as const;

interface Attempt {
  options: LoginOptions;
  target: LoginTarget;
  around: LoginSurroundings;
  terminal: Terminal;
  status: StatusLine;
}

/** The person's way: options, code, waiting, end. Answers the exit code. */
export async function logIn(
  argv: readonly string[],
  around: LoginSurroundings,
  connect: (options: DeviceClientDeps) => Promise<DeviceClient>,
): Promise<number> {
  let options: LoginOptions;
  let target: LoginTarget;
  try {
    options = readLoginOptions(argv);
    target = await loginTarget(options, around);
  } catch (error) {
    const fault = targetFault(error, around.signal.aborted);
    if (fault === undefined) throw error;
    around.stderr.write(fault.text);
    return exit[fault.end];
  }
  const { stderr: stream, environment, platform } = around;
  const terminal = openTerminal({ stream, environment, plain: options.plain, platform });
  const status = openStatusLine(terminal);
  try {
    const { issuer, deviceAuthorizationEndpoint, clientId } = target;
    assertSafeAddress(issuer.href);
    const clientSecret = await readClientSecret(target.clientSecret, around.environment);
    status.show(`Asking ${issuer.host} how to sign in.`);
    const { signal, fetch } = around;
    const client = await connect({ issuer, deviceAuthorizationEndpoint, clientId, clientSecret, signal, fetch });
    return await signIn(client, { options, target, around, terminal, status });
  } catch (error) {
    status.stop();
    terminal.line(around.signal.aborted ? 'Stopped. Nothing was connected.' : asComplaint(failureInWords(error)));
    return around.signal.aborted ? exit.interrupted : exit.error;
  }
}

async function signIn(client: DeviceClient, attempt: Attempt): Promise<number> {
  const { options, target, around, terminal, status } = attempt;
  const { scopes, resources } = target;
  const hasKeyboard = around.stdin.isTTY === true;
  // Where the proof does not arrive there are the digits, and somebody must be able to type them.
  const mayListen = client.takesProof && hasKeyboard && mayBrowseHere(around.environment, around.platform);
  const listener = mayListen && !options.confirm ? await openLoopbackListener() : undefined;
  let typed: TypedLines | undefined;
  let askedAtMs = 0;
  try {
    const confirmation = options.confirm ? 'required' : (listener ?? (hasKeyboard ? 'supported' : undefined));
    const grant = await client.start({ scopes, resources, confirmation });
    const expiresAtMs = around.now() + grant.expiresInSeconds * 1000;
    status.stop();
    if (grant.asksFor === 'loopback') listener?.returnTo(grant.verificationUri);
    else listener?.close();
    showSignInCard(terminal, { ...grant, wantsQr: options.qr });
    const asksForDigits = options.confirm || grant.asksFor !== undefined;
    const isKey = hasKeyboard ? personKeys({ ...grant, terminal, desktop: around.desktop }) : undefined;
    typed = asksForDigits || isKey !== undefined ? openTypedLines(around.stdin, isKey) : undefined;
    const when = grant.asksFor === 'loopback' ? 'If' : 'When';
    if (asksForDigits) terminal.line(`${when} the browser shows 4 digits, type them here and press Enter.`);
    // A line that turns would wipe out what the person types.
    const waiting = typed === undefined ? status : openStatusLine({ ...terminal, isRich: false });
    const poll = pollWithCodes(client, grant, attempt, () => typed?.take(), listener);
    const end = await pollUntilDecided({
      intervalSeconds: grant.intervalSeconds,
      expiresAtMs,
      now: around.now,
      sleep: (milliseconds) => sleepUntilProof(milliseconds, around, listener),
      onWait: (why) => waiting.show(printable(waitingInWords(why, expiresAtMs))),
      poll() {
        askedAtMs = around.now();
        return poll();
      },
    });
    waiting.stop();
    return await finish(end, attempt, askedAtMs);
  } finally {
    typed?.close();
    listener?.close();
  }
}

/** The proof is worth a poll at once: whoever brought it has approved. */
async function sleepUntilProof(
  milliseconds: number,
  { sleep, signal }: LoginSurroundings,
  listener: LoopbackListener | undefined,
): Promise<void> {
  if (listener === undefined) return sleep(milliseconds, signal);
  const { arrival } = listener;
  if (arrival.aborted) return;
  await sleep(milliseconds, AbortSignal.any([signal, arrival])).catch((error: unknown) => {
    signal.throwIfAborted();
    if (!arrival.aborted) throw error;
  });
}

/**
 * Digits are sent until there is an answer, and no longer: the server counts wrong ones. The proof goes with each poll,
 * since nobody would bring it again after an approval that is held for a while; the same one counts once.
 */
function pollWithCodes(
  client: DeviceClient,
  { deviceCode }: StartedGrant,
  { target: { resources }, terminal }: Attempt,
  typed: () => string | undefined,
  listener: LoopbackListener | undefined,
): () => Promise<PollAnswer<SignedIn>> {
  let unanswered: string | undefined;
  let proof: string | undefined;
  return async () => {
    const digits = typed() ?? unanswered;
    proof = listener?.take() ?? proof;
    const answer = await client.poll(deviceCode, { resources, confirmationCode: digits ?? proof });
    unanswered = answer.answer === 'unreachable' ? digits : undefined;
    if (digits !== undefined && answer.answer === 'pending') {
      terminal.line('These digits were not taken. Type the 4 digits that the browser shows.');
    }
    return answer;
  };
}

async function finish(end: PollEnd<SignedIn>, attempt: Attempt, askedAtMs: number): Promise<number> {
  const { options, target, around, terminal } = attempt;
  switch (end.answer) {
    case 'tokens': {
      const { person, idTokenIssuer, response } = end.tokens;
      const name = personInWords(person);
      terminal.line(printable(name === undefined ? 'Signed in.' : `Signed in as ${name}.`));
      if (idTokenIssuer !== undefined) {
        terminal.line(printable(`The ID token is verified: ${idTokenIssuer} signed it.`));
      }
      // First, so that nothing is lost where they cannot be kept.
      if (options.json) around.stdout.write(`${JSON.stringify(response)}\n`);
      const sleep = (milliseconds: number) => around.sleep(milliseconds, around.signal);
      const told = await keepSignIn(target, { response, person: name, askedAtMs }, { now: around.now, sleep });
      for (const line of told) terminal.line(line);
      if (target.keeping === undefined && !options.json) {
        terminal.line('The tokens were not kept. With --json they are printed.');
      }
      return exit.signedIn;
    }
    case 'denied':
      terminal.line('Denied in the browser. Nothing was connected.');
      terminal.line('If that was a slip, run the command again and approve the new code.');
      return exit.denied;
    case 'expired':
      terminal.line('The code expired before it was approved. Nothing was connected.');
      terminal.line('Run the command again for a new code.');
      return exit.expired;
    case 'refused':
      terminal.line(asComplaint(end.reason));
      return exit.error;
  }
}

/** Wrapped for a person, and in the layout that every command has. */
function asComplaint(problem: string): string {
  return complaint('login', printable(problem)).trimEnd();
}
