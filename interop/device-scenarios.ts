import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { confidentialClients } from './confidential-scenarios.ts';
import { type DeviceEvents, type DeviceProgram, expectDevice, runDevice, type ShownCode } from './device-program.ts';
import { type Gatehouse, startGatehouse } from './gatehouse.ts';
import { check, type Scenario } from './peer.ts';
import { approve, playPerson } from './person.ts';

/** A Gatehouse for devices, with an OpenID provider in this process behind it. */
export interface DeviceDeps {
  gatehouse: Gatehouse;
  upstream: EmbeddedUpstream;
  /** Of the client `private_key_jwt`. */
  privateJwk: string;
  close(): Promise<void>;
}

export const SECRET = 'device secret/with+signs%';

/** Polls come quickly, so that a whole matrix takes minutes. */
const CLIENT = { interval: '1s', scopes: { allowed: ['openid', 'profile', 'email', 'offline_access'] } };
const CONFIDENTIAL = { ...CLIENT, client_secret: { env: 'DEVICE_SECRET' }, start_without_secret: true };

export async function deviceDeps(
  { clients, ...more }: Record<string, unknown> & { clients?: object } = {},
  isHttps = false,
  below?: string,
): Promise<DeviceDeps> {
  let upstream: EmbeddedUpstream | undefined;
  const confidential = await confidentialClients(CLIENT);
  const gatehouse = await startGatehouse({
    secrets: { DEVICE_SECRET: SECRET },
    isHttps,
    ...(below !== undefined && { below }),
    yaml: async (publicUrl) => {
      upstream = await startEmbeddedUpstream({
        clients: [{ clientId: 'gatehouse', redirectUris: [`${publicUrl}/callback/corp`] }],
      });
      return {
        upstreams: { corp: { display_name: 'Example Corp', issuer: upstream.issuer, client_id: 'gatehouse' } },
        clients: {
          tv: { name: 'TV', ...CLIENT },
          robot: { name: 'Robot', ...CONFIDENTIAL },
          'short-tv': { name: 'TV in a hurry', ...CLIENT, lifetimes: { code: '5s' } },
          ...confidential.clients,
          ...clients,
        },
        ...more,
      };
    },
  });
  const standing = upstream as unknown as EmbeddedUpstream;
  return {
    gatehouse,
    upstream: standing,
    privateJwk: confidential.privateJwk,
    close: async () => {
      await gatehouse.close();
      await standing.close();
    },
  };
}

export interface DeviceRun {
  events: DeviceEvents;
  decidedAtMs: number;
}

export interface DeviceTold {
  clientId?: string;
  clientSecret?: string;
  more?: Record<string, string>;
}

/** One run of the program against Gatehouse, with a person who answers (or nobody). */
export async function deviceRun(
  { gatehouse }: DeviceDeps,
  program: DeviceProgram,
  answer: 'approve' | 'deny' | 'nobody',
  { clientId = 'tv', clientSecret, more = {} }: DeviceTold = {},
): Promise<DeviceRun> {
  let decidedAtMs = 0;
  const { publicUrl } = gatehouse;
  const told = {
    ISSUER: publicUrl,
    DEVICE_ENDPOINT: `${publicUrl}/device_authorization`,
    TOKEN_ENDPOINT: `${publicUrl}/token`,
    CLIENT_ID: clientId,
    SCOPE: 'openid profile',
    ...(clientSecret !== undefined && { CLIENT_SECRET: clientSecret }),
    ...more,
  };
  const events = await runDevice(program, told, async (code) => {
    if (answer !== 'nobody') decidedAtMs = await decideAs(code, answer, gatehouse.fetch);
  });
  return { events, decidedAtMs };
}

export async function decideAs(code: ShownCode, decision: 'approve' | 'deny', by?: typeof fetch): Promise<number> {
  const visit = {
    verificationUri: code.verification_uri,
    userCode: code.user_code,
    user: 'alice',
    decision,
    ...(by !== undefined && { fetch: by }),
  };
  if (decision === 'approve') await approve(visit);
  else check((await playPerson(visit)).status === 200, 'the denial was not taken');
  return Date.now();
}

/** What every client library goes through. */
export function deviceScenarios(deps: DeviceDeps, program: DeviceProgram, told: DeviceTold = {}): Scenario[] {
  const { gatehouse } = deps;
  return [
    {
      name: 'sign in',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'approve', told);
        expectDevice(events, events.exitCode === 0 && events.tokens.length === 1, 'no tokens came');
        await verify(gatehouse, events);
      },
    },
    {
      name: 'refresh',
      limitSeconds: 40,
      async run() {
        const more = { ...told.more, STEPS: 'refresh' };
        const { events } = await deviceRun(deps, program, 'approve', { ...told, more });
        const [first] = events.tokens;
        const [second] = events.refreshed;
        expectDevice(events, events.exitCode === 0 && second !== undefined, 'no refreshed tokens came');
        expectDevice(events, first?.access_token !== second?.access_token, 'the access token is the same');
      },
    },
    {
      name: 'denial',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'deny', told);
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        expectDevice(
          events,
          /access_?denied|sign-in was refused/i.test(events.refused ?? ''),
          'it does not say that it was denied',
        );
      },
    },
    {
      name: 'expiry',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'nobody', { ...told, clientId: 'short-tv' });
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        const words = /expired|expire|timed? ?out|deadline|not valid any more/i;
        expectDevice(events, words.test(events.refused ?? ''), 'it does not say that the code ran out');
      },
    },
    {
      name: 'slow network',
      limitSeconds: 60,
      async run() {
        gatehouse.network.delayMs = 300;
        try {
          const { events } = await deviceRun(deps, program, 'approve', told);
          expectDevice(events, events.exitCode === 0 && events.tokens.length === 1, 'no tokens came');
        } finally {
          gatehouse.network.delayMs = 0;
        }
      },
    },
  ];
}

/** As an API would: by the published keys. */
async function verify({ publicUrl: issuer, fetch: by }: Gatehouse, { tokens: [answer] }: DeviceEvents): Promise<void> {
  const keys = createLocalJWKSet((await (await by(`${issuer}/jwks`)).json()) as JSONWebKeySet);
  await jwtVerify(answer?.access_token ?? '', keys, { issuer, typ: 'at+jwt' });
  if (answer?.id_token !== undefined) await jwtVerify(answer.id_token, keys, { issuer });
}
