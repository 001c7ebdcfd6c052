import { processEnvironment } from '../../config/environment.ts';
import { readArguments, tooMuch, UsageError } from '../read-arguments.ts';
import { tokenTable } from '../tables/daily/token-table.ts';
import { obtainToken, type TokenOrder } from './obtain-token.ts';
import { TOKEN_EXIT } from './token-exit.ts';
import { type TokenFormat, tokenText } from './token-format.ts';
import { minValidMs, readEnvName, wordsOf } from './token-options.ts';

/** `gatehouse token …`; answers the exit code. What is imported from here is what a kept token needs, and no more. */
export async function run(argv: readonly string[]): Promise<number> {
  const { values, operands } = readArguments(tokenTable, argv);
  const { format = 'raw' } = values;
  if (operands.length > (isHelper(format) ? 1 : 0)) throw new UsageError(tooMuch(operands.at(-1)));
  const envName = readEnvName(values['env-name']);
  const isIdToken = values['id-token'] === true;
  const order: TokenOrder = {
    command: 'token',
    asked: values,
    more: { scopes: wordsOf(values.scope), resources: values.resource },
    need: { minValidMs: minValidMs(values['min-valid']), wantsIdToken: isIdToken },
    mayLogIn: values['no-login'] !== true,
  };
  if (isHelper(format)) {
    const { answerHelper } = await import('./answer-helper.ts');
    return answerHelper(order, {
      format,
      action: operands[0] ?? 'get',
      hosts: values.for ?? [],
      username: values.username,
    });
  }
  if (format === 'aws') {
    const { answerAws } = await import('./answer-aws.ts');
    return answerAws(order, { roleArn: values['role-arn'], stsUrl: values['sts-url'] });
  }
  const found = await obtainToken(order);
  if (found.outcome === 'none') return found.exitCode;
  const execInfo = processEnvironment()['KUBERNETES_EXEC_INFO'];
  process.stdout.write(tokenText(format as TokenFormat, { token: found.token, isIdToken, envName, execInfo }));
  return TOKEN_EXIT.printed;
}

function isHelper(format: string): format is 'git' | 'docker' {
  return format === 'git' || format === 'docker';
}
