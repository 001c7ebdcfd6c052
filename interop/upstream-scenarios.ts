import { decodeJwt } from 'jose';
import { type Gatehouse, startGatehouse } from './gatehouse.ts';
import { check, type Scenario } from './peer.ts';
import { approve, playPerson } from './person.ts';
import { type DeviceAnswer, plainDevice } from './plain-device.ts';

/** A running OpenID provider, with what an administrator can do there. What it does not offer is left out. */
export interface UpstreamUnderTest {
  issuer: string;
  clientId: string;
  clientSecret: string;
  user: string;
  password?: string;
  scopes?: readonly string[];
  /** More for its section of the YAML. */
  yaml?: Record<string, unknown>;
  /** A client there that asks the person for consent; left out where the usual one does. */
  consentClientId?: string;
  /** Tells it the redirect URIs and the address for back-channel logout. */
  register(publicUrl: string, callbacks: readonly string[]): Promise<void>;
  canDeny: boolean;
  disable?: (user: string) => Promise<void>;
  enable?: (user: string) => Promise<void>;
  logOut?: (user: string) => Promise<void>;
  rotateKeys?: () => Promise<void>;
  stop?: () => Promise<void>;
  start?: () => Promise<void>;
}

/** One Gatehouse: the upstream as it should be, once more with a wrong secret, and once where people are asked. */
export async function gatehouseBefore(upstream: UpstreamUnderTest, more: Record<string, unknown> = {}) {
  const { issuer, clientId, scopes, yaml = {} } = upstream;
  const section = (id: string, secret: string) => ({
    ...{ display_name: 'Corp', issuer, client_id: id, client_secret: { env: secret }, ...yaml },
    ...(scopes !== undefined && { scopes }),
  });
  const client = (name: string, at: string) => ({ name, upstreams: [at], interval: '1s', claims: ['email', 'groups'] });
  return startGatehouse({
    secrets: { UPSTREAM_SECRET: upstream.clientSecret, WRONG_SECRET: 'this-is-not-the-secret' },
    yaml: async (publicUrl) => {
      await upstream.register(
        publicUrl,
        ['corp', 'wrong', 'asks'].map((id) => `${publicUrl}/callback/${id}`),
      );
      return {
        upstreams: {
          corp: section(clientId, 'UPSTREAM_SECRET'),
          wrong: section(clientId, 'WRONG_SECRET'),
          asks: section(upstream.consentClientId ?? clientId, 'UPSTREAM_SECRET'),
        },
        clients: {
          tv: client('TV', 'corp'),
          relay: { ...client('Relay', 'corp'), tokens: 'relay', claims: [] },
          'tv-wrong': client('TV with a wrong secret behind', 'wrong'),
          'tv-asks': client('TV with consent', 'asks'),
        },
        ...more,
      };
    },
  });
}

export function upstreamScenarios(upstream: UpstreamUnderTest, gatehouse: Gatehouse): Scenario[] {
  const { publicUrl } = gatehouse;
  const { user, password } = upstream;
  const person = { user, ...(password !== undefined && { password }) };
  const signIn = async (clientId = 'tv') => {
    const device = plainDevice(publicUrl, clientId);
    const started = await device.start();
    await approve({ ...person, verificationUri: started.verification_uri, userCode: started.user_code });
    const answer = await device.poll(started.device_code);
    check(answer.status === 200, `the poll was answered with ${words(answer)}`);
    return { device, tokens: answer.body };
  };
  const refreshed = async ({ device, tokens }: Awaited<ReturnType<typeof signIn>>) =>
    device.refresh(tokens.refresh_token ?? '');
  const isRefused = (answer: DeviceAnswer) =>
    check(answer.body.error === 'invalid_grant', `the refresh was answered with ${words(answer)}`);
  const { disable, enable, logOut, rotateKeys, stop, start } = upstream;

  const scenarios: (Scenario | undefined)[] = [
    {
      name: 'sign in',
      limitSeconds: 60,
      async run() {
        const { tokens } = await signIn();
        const claims = decodeJwt(tokens.id_token ?? '');
        check(String(claims.sub).startsWith('corp|'), `the subject is ${claims.sub}`);
        check(decodeJwt(tokens.access_token).iss === publicUrl, 'the access token is not of Gatehouse');
      },
    },
    upstream.canDeny
      ? {
          name: 'deny there',
          limitSeconds: 60,
          async run() {
            const device = plainDevice(publicUrl, 'tv-asks');
            const started = await device.start();
            const visit = { ...person, verificationUri: started.verification_uri, userCode: started.user_code };
            const page = await playPerson({ ...visit, deniesUpstream: true });
            check(page.url.origin === publicUrl, `the person ended at ${page.url.href}`);
            const answer = await device.poll(started.device_code);
            check(answer.body.error === 'access_denied', `the poll was answered with ${words(answer)}`);
          },
        }
      : undefined,
    {
      name: 'wrong client secret',
      limitSeconds: 60,
      async run() {
        const device = plainDevice(publicUrl, 'tv-wrong');
        const started = await device.start();
        const visit = { ...person, verificationUri: started.verification_uri, userCode: started.user_code };
        const page = await playPerson(visit);
        check(
          page.url.origin === publicUrl && page.status === 502,
          `the person ended at ${page.status} ${page.url.href}`,
        );
        const rejected = await gatehouse.event('upstream.rejected');
        check(String(rejected?.['detail']).includes('secret'), `the log says ${JSON.stringify(rejected)}`);
        const answer = await device.pollOnce(started.device_code);
        check(answer.body.error === 'authorization_pending', `the grant did not stay pending: ${words(answer)}`);
      },
    },
    {
      name: 'refresh',
      limitSeconds: 60,
      async run() {
        const began = await signIn();
        const answer = await refreshed(began);
        check(answer.status === 200, `the refresh was answered with ${words(answer)}`);
        const again = await began.device.refresh(answer.body.refresh_token ?? '');
        check(again.status === 200, `the second refresh was answered with ${words(again)}`);
      },
    },
    {
      name: 'relay and refresh',
      limitSeconds: 60,
      async run() {
        const began = await signIn('relay');
        const answer = await refreshed(began);
        check(answer.status === 200, `the refresh was answered with ${words(answer)}`);
        check(answer.body.access_token !== began.tokens.access_token, 'the upstream’s token is the same');
      },
    },
    disable === undefined || enable === undefined
      ? undefined
      : {
          name: 'account disabled',
          limitSeconds: 60,
          async run() {
            const began = await signIn();
            await disable(user);
            try {
              isRefused(await refreshed(began));
            } finally {
              await enable(user);
            }
          },
        },
    logOut === undefined
      ? undefined
      : {
          name: 'back-channel logout',
          limitSeconds: 60,
          async run() {
            const began = await signIn();
            await logOut(user);
            isRefused(await refreshed(began));
            check(await gatehouse.event('logout.received'), 'no logout token came');
          },
        },
    stop === undefined || start === undefined
      ? undefined
      : {
          name: 'restart in the middle',
          limitSeconds: 180,
          async run() {
            const device = plainDevice(publicUrl, 'tv');
            const started = await device.start();
            const visit = { ...person, verificationUri: started.verification_uri, userCode: started.user_code };
            await stop();
            try {
              const page = await playPerson(visit).catch((error: Error) => error);
              // With its metadata known the browser is sent there, and finds nobody.
              const isTold = !(page instanceof Error) && [502, 503].includes(page.status);
              check(page instanceof Error || isTold, 'the person is not told that nobody is there');
              const waiting = await device.pollOnce(started.device_code);
              check(waiting.body.error === 'authorization_pending', `the grant is not pending: ${words(waiting)}`);
            } finally {
              await start();
            }
            await approve(visit);
            const answer = await device.poll(started.device_code);
            check(answer.status === 200, `the poll was answered with ${words(answer)}`);
          },
        },
    rotateKeys === undefined
      ? undefined
      : {
          name: 'keys rotated',
          limitSeconds: 120,
          async run() {
            await signIn();
            await rotateKeys();
            await signIn();
          },
        },
    {
      name: 'check --probe',
      limitSeconds: 60,
      async run() {
        const { output } = await gatehouse.probe();
        check(output.includes(`${publicUrl}/callback/corp`), 'it does not say the redirect URI');
        const lines = output.split('\n').filter((line) => line.startsWith('upstream corp: '));
        check(lines.length > 0 && !lines.some((line) => line.includes(': wrong:')), lines.join('\n'));
        check(output.includes('upstream wrong: wrong:'), 'it does not see the wrong secret');
      },
    },
  ];
  return scenarios.filter((scenario) => scenario !== undefined);
}

function words({ status, body }: DeviceAnswer): string {
  return `${status} ${body.error ?? 'tokens'}`;
}
