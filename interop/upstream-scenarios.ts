import { decodeJwt } from 'jose';
import type { Gatehouse } from './gatehouse.ts';
import { logoutScenarios } from './logout-scenarios.ts';
import { check, type Scenario } from './peer.ts';
import { approve, playPerson } from './person.ts';
import { plainDevice } from './plain-device.ts';
import { answerInWords, expectRefused, expectTokens, personAt, refreshed, signInAt } from './upstream-sign-in.ts';
import type { UpstreamUnderTest } from './upstream-under-test.ts';

export function upstreamScenarios(upstream: UpstreamUnderTest, gatehouse: Gatehouse): Scenario[] {
  const { publicUrl } = gatehouse;
  const person = personAt(upstream);
  const signIn = (clientId?: string) => signInAt(upstream, gatehouse, clientId);
  const { user, disable, enable, rotateKeys, stop, start } = upstream;

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
            check(answer.body.error === 'access_denied', `the poll was answered with ${answerInWords(answer)}`);
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
        check(
          answer.body.error === 'authorization_pending',
          `the grant did not stay pending: ${answerInWords(answer)}`,
        );
      },
    },
    {
      name: 'refresh',
      limitSeconds: 60,
      async run() {
        const began = await signIn();
        const answer = await refreshed(began);
        expectTokens('the refresh', answer);
        const again = await began.device.refresh(answer.body.refresh_token ?? '');
        expectTokens('the second refresh', again);
      },
    },
    {
      name: 'relay and refresh',
      limitSeconds: 60,
      async run() {
        const began = await signIn('relay');
        const answer = await refreshed(began);
        expectTokens('the refresh', answer);
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
              expectRefused(await refreshed(began));
            } finally {
              await enable(user);
            }
          },
        },
    ...logoutScenarios(upstream, gatehouse),
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
              check(
                waiting.body.error === 'authorization_pending',
                `the grant is not pending: ${answerInWords(waiting)}`,
              );
            } finally {
              await start();
            }
            await approve(visit);
            const answer = await device.poll(started.device_code);
            expectTokens('the poll', answer);
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
        check(lines.join('\n').includes('and refuses wrong ones'), 'it does not see that the secret is looked at');
      },
    },
  ];
  return scenarios.filter((scenario) => scenario !== undefined);
}
