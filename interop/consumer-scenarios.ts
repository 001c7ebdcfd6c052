import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import type { ShownCode, TokenAnswer } from './device-program.ts';
import { type DeviceDeps, decideAs, deviceDeps } from './device-run.ts';
import { check, type Scenario } from './peer.ts';
import { lastLines, startProgram } from './program.ts';

/**
 * Programs that verify our access tokens, as an API does: each in a small program of ours, told `ISSUER`, `AUDIENCE` and
 * `TOKEN` by the environment, which says `{"taken": sub}` or `{"refused": "…"}`.
 */
export interface ConsumerProgram {
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
}

export const API = 'https://api.example.com';
const REALM = '/realms/corp';
const CLIENT = { scopes: { allowed: ['openid', 'profile'] }, resources: [API], interval: '1s' };

/** What a token is, by how its client is set up and where it was asked for. */
const TOKENS = {
  'at+jwt': { clientId: 'api-tv', realm: '' },
  'access_token_type: JWT': { clientId: 'jwt-tv', realm: '' },
  'Keycloak’s path profile': { clientId: 'api-tv', realm: REALM },
} as const;

export type TokenKind = keyof typeof TOKENS;

export function consumerDeps(): Promise<DeviceDeps> {
  return deviceDeps({
    compatibility: { keycloak: { realm: 'corp' } },
    // For those who ask what a token is worth, in place of reading it.
    resource_servers: { api: { audience: API, client_secret: { env: 'DEVICE_SECRET' } } },
    clients: {
      'api-tv': { name: 'TV', ...CLIENT },
      'jwt-tv': { name: 'TV', ...CLIENT, access_token_type: 'JWT' },
    },
  });
}

/** Each kind of token is taken, or refused, as the consumer is known to do; a forged one never is. */
export function consumerScenarios(
  deps: DeviceDeps,
  program: ConsumerProgram,
  takes: Readonly<Record<TokenKind, boolean>>,
): Scenario[] {
  const kinds = Object.keys(takes) as TokenKind[];
  const scenarios = kinds.map(
    (kind): Scenario => ({
      name: kind,
      cell: takes[kind] ? 'taken' : 'refused',
      limitSeconds: 60,
      async run() {
        const token = await tokenOf(deps, kind);
        const { taken, said } = await ask(deps, program, kind, token);
        const isAsKnown = takes[kind] ? taken === decodeJwt(token).sub : isRefused(taken, said);
        check(isAsKnown, `it said: ${said}`);
      },
    }),
  );
  const [known = 'at+jwt'] = kinds.filter((kind) => takes[kind]);
  return [
    ...scenarios,
    {
      name: 'a forged one',
      cell: 'refused',
      limitSeconds: 60,
      async run() {
        const { privateKey } = await generateKeyPair('RS256');
        const token = await tokenOf(deps, known);
        const header = { ...decodeProtectedHeader(token), alg: 'RS256' };
        const forged = await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey);
        const { taken, said } = await ask(deps, program, known, forged);
        check(isRefused(taken, said), `it said: ${said}`);
      },
    },
  ];
}

/** In words of its own: a program that broke has refused nothing. */
function isRefused(taken: string | undefined, said: string): boolean {
  return taken === undefined && said.includes('{"refused"');
}

async function ask({ gatehouse }: DeviceDeps, consumer: ConsumerProgram, kind: TokenKind, token: string) {
  let taken: string | undefined;
  const told = { ISSUER: gatehouse.publicUrl + TOKENS[kind].realm, AUDIENCE: API, TOKEN: token };
  const program = startProgram(consumer.command, {
    environment: { ...consumer.environment, ...told },
    onLine(line) {
      if (line.startsWith('{"taken"')) taken = (JSON.parse(line) as { taken: string }).taken;
    },
  });
  await program.exited;
  await program.stop();
  return { taken, said: lastLines(program.output(), 6) };
}

async function tokenOf({ gatehouse }: DeviceDeps, kind: TokenKind): Promise<string> {
  const { clientId, realm } = TOKENS[kind];
  const protocol = `${gatehouse.publicUrl}${realm}/protocol/openid-connect`;
  const [startAt, tokenAt] =
    realm === ''
      ? [`${gatehouse.publicUrl}/device_authorization`, `${gatehouse.publicUrl}/token`]
      : [`${protocol}/auth/device`, `${protocol}/token`];
  const post = async <Answer>(address: string, form: Record<string, string>): Promise<Answer> => {
    const response = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, ...form }),
    });
    return (await response.json()) as Answer;
  };
  const started = await post<ShownCode & { device_code: string }>(startAt, { scope: 'openid profile' });
  await decideAs(started, 'approve');
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: started.device_code };
  return (await post<TokenAnswer>(tokenAt, grant)).access_token;
}
