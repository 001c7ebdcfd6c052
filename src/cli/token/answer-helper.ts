import { text } from 'node:stream/consumers';
import { isLoopback } from '../../network/loopback.ts';
import { hint, UsageError } from '../read-arguments.ts';
import { HELPER_ACTIONS } from '../tables/daily/token-table.ts';
import { eraseToken } from './erase-token.ts';
import { obtainToken, type TokenOrder } from './obtain-token.ts';
import { TOKEN_EXIT } from './token-exit.ts';
import { revealed } from './token-format.ts';

export interface HelperQuestion {
  format: 'git' | 'docker';
  action: string;
  /** Nobody else gets the token: a repository may name any server. */
  hosts: readonly string[];
  username: string | undefined;
}

const MAX_INPUT = 64 * 1024;
const PLAIN_HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/** What git (gitcredentials(7)) and docker (docker-credential-helpers) ask a helper, on stdin. Answers the exit code. */
export async function answerHelper(order: TokenOrder, question: HelperQuestion): Promise<number> {
  const { format, action, hosts } = question;
  if (!(HELPER_ACTIONS as readonly string[]).includes(action)) {
    throw new UsageError(`${action} is no action of a helper${hint(action, HELPER_ACTIONS)}`);
  }
  if (hosts.length === 0) throw new UsageError(`--format ${format} needs --for HOST: nobody else gets the token`);
  const input = (await text(process.stdin)).slice(0, MAX_INPUT);
  return format === 'git' ? answerGit(order, question, input) : answerDocker(order, question, input);
}

async function answerGit(
  order: TokenOrder,
  { action, hosts, username }: HelperQuestion,
  input: string,
): Promise<number> {
  const asked = new Map(
    input.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  );
  const isOdd = input.includes('\r') || ['protocol', 'host'].some((key) => `\n${input}`.split(`\n${key}=`).length > 2);
  // Others are asked, and then the person: it is not ours to answer.
  if (isOdd || !isMeant(asked.get('protocol'), asked.get('host'), hosts)) return TOKEN_EXIT.printed;
  if (action === 'erase') await eraseToken(order, asked.get('password') ?? '');
  if (action !== 'get') return TOKEN_EXIT.printed;
  const found = await obtainToken(order);
  if (found.outcome === 'none') {
    // Else git would ask for a name and a password, which there are not.
    process.stdout.write('quit=1\n');
    return TOKEN_EXIT.printed;
  }
  const { secret, endMs } = revealed({ token: found.token, isIdToken: order.need.wantsIdToken });
  const end = endMs === undefined ? '' : `password_expiry_utc=${Math.floor(endMs / 1000)}\n`;
  process.stdout.write(`username=${username ?? 'oauth2'}\npassword=${secret}\n${end}`);
  return TOKEN_EXIT.printed;
}

async function answerDocker(
  order: TokenOrder,
  { action, hosts, username = 'oauth2' }: HelperQuestion,
  input: string,
): Promise<number> {
  if (action === 'list') {
    process.stdout.write(`${JSON.stringify(Object.fromEntries(hosts.map((host) => [host, username])))}\n`);
    return TOKEN_EXIT.printed;
  }
  // What docker login was given is nothing to keep.
  if (action === 'store') return TOKEN_EXIT.printed;
  const server = input.trim();
  const [protocol, rest = ''] = server.includes('://') ? server.split('://', 2) : ['https', server];
  if (!isMeant(protocol, rest.split('/', 1)[0], hosts)) {
    // These words mean "ask for it without" to docker.
    process.stdout.write('credentials not found in native keychain\n');
    return TOKEN_EXIT.error;
  }
  if (action === 'erase') {
    await eraseToken(order, undefined);
    return TOKEN_EXIT.printed;
  }
  const found = await obtainToken(order);
  if (found.outcome === 'none') {
    // Docker shows what stands on stdout of a helper that failed, and drops its stderr.
    process.stdout.write(`gatehouse gave no token: run gatehouse token --format raw to see why\n`);
    return TOKEN_EXIT.error;
  }
  const { secret } = revealed({ token: found.token, isIdToken: order.need.wantsIdToken });
  process.stdout.write(`${JSON.stringify({ ServerURL: server, Username: username, Secret: secret })}\n`);
  return TOKEN_EXIT.printed;
}

/** Over https, or on this machine; the port counts. */
export function isMeant(protocol = '', asked = '', hosts: readonly string[] = []): boolean {
  // A URL's parser ends a host at / \ ? #, where the one who asks may not.
  if (!PLAIN_HOST.test(asked)) return false;
  const address = `${protocol}://${asked}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) {
    return false;
  }
  return hosts.some(
    (host) => URL.canParse(`${url.protocol}//${host}`) && new URL(`${url.protocol}//${host}`).host === url.host,
  );
}
