import { processEnvironment } from '../../config/environment.ts';
import { complain } from '../complain.ts';
import { assertSafeAddress, readText, UnexpectedAnswerError, UnreachableError } from '../login/safe-fetch.ts';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import { obtainToken, type TokenOrder } from './obtain-token.ts';
import { TOKEN_EXIT } from './token-exit.ts';
import { revealed } from './token-format.ts';

export interface AwsQuestion {
  roleArn: string | undefined;
  stsUrl: string | undefined;
}

const REQUEST_MS = 10_000;

/** `credential_process` of AWS: the token is exchanged at STS (AssumeRoleWithWebIdentity). Answers the exit code. */
export async function answerAws(order: TokenOrder, { roleArn, stsUrl }: AwsQuestion): Promise<number> {
  if (roleArn === undefined) throw new UsageError('--format aws needs --role-arn ARN');
  const found = await obtainToken(order);
  if (found.outcome === 'none') return found.exitCode;
  const { secret } = revealed({ token: found.token, isIdToken: order.need.wantsIdToken });
  try {
    const credentials = await assumeRole(new URL(stsUrl ?? usualSts()), roleArn, secret);
    process.stdout.write(`${JSON.stringify(credentials)}\n`);
    return TOKEN_EXIT.printed;
  } catch (error) {
    complain('token', printable((error as Error).message));
    // What STS refuses, it refuses the next time too.
    return error instanceof UnreachableError ? TOKEN_EXIT.away : TOKEN_EXIT.error;
  }
}

/** As AWS' own tools find it. */
function usualSts(): string {
  const environment = processEnvironment();
  const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'];
  // China's regions are a partition of their own.
  const domain = region?.startsWith('cn-') === true ? 'amazonaws.com.cn' : 'amazonaws.com';
  const usual = region === undefined ? 'https://sts.amazonaws.com' : `https://sts.${region}.${domain}`;
  return environment['AWS_ENDPOINT_URL_STS'] || usual;
}

async function assumeRole(sts: URL, roleArn: string, token: string) {
  assertSafeAddress(sts.href);
  const response = await fetch(sts, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(REQUEST_MS),
    body: new URLSearchParams({
      ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleArn: roleArn },
      ...{ RoleSessionName: 'gatehouse', WebIdentityToken: token },
    }),
  }).catch((cause: Error) => {
    throw new UnreachableError(`${sts.host} does not answer (${cause.message})`, {}, { cause });
  });
  const xml = await readText(response).catch((cause: Error) => {
    if (cause instanceof UnexpectedAnswerError) throw cause;
    throw new UnreachableError(`${sts.host} broke off its answer (${cause.message})`, {}, { cause });
  });
  const member = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1];
  if (!response.ok) {
    const { status } = response;
    const refusal = `${sts.host} refused (${member('Code') ?? status}: ${member('Message') ?? 'no reason'})`;
    throw status >= 500 || status === 429 ? new UnreachableError(refusal, { status }) : new Error(refusal);
  }
  const [AccessKeyId, SecretAccessKey, SessionToken, Expiration] = [
    ...[member('AccessKeyId'), member('SecretAccessKey'), member('SessionToken'), member('Expiration')],
  ];
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new Error(`${sts.host} answered without credentials`);
  }
  // AWS' tools take credentials without an end for ones that last for ever.
  if (Expiration === undefined || Number.isNaN(Date.parse(Expiration))) {
    throw new Error(`${sts.host} answered without saying when the credentials end`);
  }
  return { Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration };
}
