import { type EmbeddedUpstream, startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { confidentialClients } from './confidential-clients.ts';
import { type DeviceEvents, type DeviceProgram, runDevice, type ShownCode } from './device-program.ts';
import { type Gatehouse, startGatehouse } from './gatehouse.ts';
import { check } from './peer.ts';
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
