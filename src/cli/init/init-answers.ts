import { readFileSync } from 'node:fs';
import { processEnvironment } from '../../config/environment.ts';
import { webAddress } from '../../config/schema/address-schemas.ts';
import { clientId } from '../../config/schema/client-schema.ts';
import { upstreamId } from '../../config/schema/upstream-schema.ts';
import { text } from '../../config/schema/value-schemas.ts';
import { callbackUri, frontLogoutUri, logoutUri } from '../../oauth/routes.ts';
import type { ProviderMetadata } from '../../upstream/requests/upstream-requests.ts';
import { UsageError } from '../read-arguments.ts';
import type { ValuesOf } from '../tables/command-table.ts';
import type { initTable } from '../tables/init-table.ts';
import { printable } from '../terminal/printable.ts';
import { shellWord } from '../terminal/shell-word.ts';
import type { Asker } from './asker.ts';
import { findProvider, type ProviderRoute, type ProviderSearch } from './find-provider.ts';
import { withoutSlash } from './issuer-candidates.ts';
import { type Provider, plainSteps, recogniseProvider } from './providers.ts';

export type InitValues = ValuesOf<typeof initTable>;

/** What was said by options or typed. */
export interface InitAnswers {
  publicUrl: string;
  metadata: ProviderMetadata;
  provider: Provider | undefined;
  upstreamId: string;
  displayName: string;
  clientId: string;
  /** `typed` is written to a file of its own. */
  secret: { env: string } | { file: string } | { typed: string } | undefined;
  client: { id: string; name: string };
  redisUrl: string | undefined;
}

/** What was said is no good; nothing is written. */
export class InitError extends Error {
  override readonly name = 'InitError';
}

export const DEFAULTS = {
  publicUrl: 'http://127.0.0.1:8080',
  upstream: 'corp',
  client: 'cli',
  clientName: 'Command line',
} as const;

interface Schema {
  safeParse(value: string): { success: boolean; error?: { issues: readonly { message: string }[] } | undefined };
}

const judgedBy = (schema: Schema) => (answer: string) => schema.safeParse(answer).error?.issues[0]?.message;

const JUDGES = {
  'public-url': judgedBy(webAddress({ query: false })),
  upstream: judgedBy(upstreamId()),
  'display-name': judgedBy(text('a name')),
  'client-id': judgedBy(text('the client id that the provider gave to Gatehouse')),
  client: judgedBy(clientId()),
  'client-name': judgedBy(text('a name')),
};

/**
 * What a script must say. Each of them is told at once, before anything is asked of the provider.
 *
 * @throws {UsageError}
 */
export function judgeValues(values: InitValues, isAsking: boolean): void {
  for (const [name, judge] of Object.entries(JUDGES) as [
    keyof typeof JUDGES,
    (answer: string) => string | undefined,
  ][]) {
    const problem = values[name] === undefined ? undefined : judge(values[name]);
    if (problem !== undefined) throw new UsageError(`--${name}: ${problem}`);
  }
  const secrets = (['client-secret-file', 'client-secret-env', 'public-client'] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (secrets.length > 1) throw new UsageError(`say one of ${secrets.map((name) => `--${name}`).join(', ')}`);
  if (isAsking) return;
  const missing = [
    ...(['issuer', 'client-id'] as const).filter((name) => values[name] === undefined).map((name) => `--${name}`),
    ...(secrets.length === 0 ? ['one of --client-secret-file, --client-secret-env and --public-client'] : []),
  ];
  if (missing.length === 0) return;
  throw new UsageError(`nobody is asked here, so say ${missing.join(', and ')}`);
}

/** @throws {InitError} */
export async function gatherAnswers(values: InitValues, asker: Asker | undefined): Promise<InitAnswers> {
  const ask = async (name: keyof typeof JUDGES, words: string, fallback?: string): Promise<string> =>
    values[name] ??
    (await asker?.ask({ words, judge: JUDGES[name], ...(fallback !== undefined && { fallback }) })) ??
    fallback ??
    '';
  const secret = secretSaid(values);
  const route = routeOf(values);
  asker?.say(
    'A first configuration for Gatehouse. Enter takes what stands in brackets; nothing is written before the end.\n',
  );
  const publicUrl = withoutSlash(
    await ask(
      'public-url',
      'Where people and devices will reach Gatehouse (https, or this machine to try it)',
      DEFAULTS.publicUrl,
    ),
  );
  const metadata = await askProvider(values.issuer, route, asker);
  const provider = recogniseProvider(metadata);
  const upstream = values.upstream ?? DEFAULTS.upstream;
  asker?.say(`\n${whatToRegister({ publicUrl, metadata, provider, upstreamId: upstream })}\n`);
  const registered = await ask('client-id', 'Client ID that it has there');
  const displayName = await ask(
    'display-name',
    'Name of the company, as people read it',
    new URL(metadata.issuer).host,
  );
  const typed = secret === undefined && values['public-client'] !== true ? await askSecret(asker) : undefined;
  const id = await ask('client', 'ID of the first program that may ask for codes', DEFAULTS.client);
  const name = await ask('client-name', 'Its name, as people read it', DEFAULTS.clientName);
  return {
    ...{ publicUrl, metadata, provider, displayName, upstreamId: upstream, clientId: registered },
    secret: typed ?? secret,
    client: { id, name },
    redisUrl: values.redis ?? (await askRedis(publicUrl, asker)),
  };
}

/** What to do at the provider. */
export function whatToRegister({
  publicUrl,
  metadata,
  provider,
  upstreamId: id,
}: Pick<InitAnswers, 'publicUrl' | 'metadata' | 'provider' | 'upstreamId'>): string {
  const at = {
    redirectUri: callbackUri(publicUrl, id),
    logoutUri: logoutUri(publicUrl, id),
    frontLogoutUri: frontLogoutUri(publicUrl, id),
  };
  const steps = provider?.steps(at) ?? plainSteps(metadata, at);
  const where =
    provider === undefined ? printable(metadata.issuer) : `${provider.name} (${printable(metadata.issuer)})`;
  return [`Register Gatehouse at ${where}:`, ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join('\n');
}

async function askProvider(
  typed: string | undefined,
  route: ProviderRoute,
  asker: Asker | undefined,
): Promise<ProviderMetadata> {
  const search = typed === undefined ? await askIssuer(route, asker) : await findProvider(typed, route);
  if (search.outcome === 'nowhere') throw new InitError(search.problem);
  if (search.outcome === 'elsewhere') {
    if (asker === undefined) {
      throw new InitError(
        `${search.problem}. If that is the one that you mean: --issuer ${shellWord(search.metadata.issuer)}`,
      );
    }
    const answer = await asker.ask({ words: `${search.problem}.\nIs that the one that you mean`, fallback: 'yes' });
    if (!/^y(es)?$/i.test(answer)) return askProvider(undefined, route, asker);
  }
  const { metadata } = search;
  const lacking = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'].filter(
    (member) => typeof metadata[member] !== 'string',
  );
  if (lacking.length === 0) return metadata;
  const what = `${metadata.issuer} names no ${lacking.join(', no ')}`;
  throw new InitError(`${what}: people cannot sign in there by OpenID Connect`);
}

async function askIssuer(route: ProviderRoute, asker: Asker | undefined): Promise<ProviderSearch> {
  let search: ProviderSearch = { outcome: 'nowhere', problem: '--issuer is missing' };
  await asker?.ask({
    words: 'Issuer of your OpenID provider, such as https://sso.example.com/realms/corp',
    judge: async (answer) => {
      search = await findProvider(answer, route);
      return search.outcome === 'nowhere' ? search.problem : undefined;
    },
  });
  return search;
}

/** @throws {InitError} where it cannot be read now, since no check would pass then */
function secretSaid(values: InitValues): { env: string } | { file: string } | undefined {
  const { 'client-secret-env': env, 'client-secret-file': file } = values;
  if (env !== undefined) {
    const value = processEnvironment()[env];
    if (value === undefined || value === '') {
      throw new InitError(
        `the environment variable ${printable(env)} is not set: set it to the client's secret, here and where Gatehouse will run`,
      );
    }
    return { env };
  }
  if (file === undefined) return undefined;
  const text = readOrExplain(file, 'put the secret of the client into it, and nothing else');
  if (text.trim() === '') throw new InitError(`${file} is empty: put the secret of the client into it`);
  return { file };
}

function routeOf({ ca, proxy }: InitValues): ProviderRoute {
  return {
    ...(ca !== undefined && { ca: readOrExplain(ca, 'it must have certificates in PEM') }),
    ...(proxy !== undefined && { proxy: { url: proxy } }),
  };
}

/** @throws {InitError} */
function readOrExplain(file: string, advice: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
    throw new InitError(`${file} ${why}: ${advice}`);
  }
}

async function askSecret(asker: Asker | undefined): Promise<{ typed: string } | undefined> {
  const typed = await asker?.ask({
    words: 'Its client secret, which is not shown and goes into a file of its own (nothing: it has none)',
    isSecret: true,
  });
  return typed === undefined || typed === '' ? undefined : { typed };
}

async function askRedis(publicUrl: string, asker: Asker | undefined): Promise<string | undefined> {
  if (asker === undefined || !publicUrl.startsWith('https:')) return undefined;
  const judge = (answer: string) =>
    answer === 'memory' || /^rediss?:\/\/\S+$/.test(answer) ? undefined : 'say redis://host:port/db, or memory';
  const words = 'Redis that keeps the sessions, or memory, where they are lost at a restart';
  const answer = await asker.ask({ words, fallback: 'redis://127.0.0.1:6379/0', judge });
  return answer === 'memory' ? undefined : answer;
}
