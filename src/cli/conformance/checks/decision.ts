import { errorOf, hasTokens, told } from '../answer.ts';
import { type Check, cannotBeSeen, fails, holds } from '../check.ts';
import type { DeviceStart, ServerUnderTest } from '../server-under-test.ts';
import { askFor, PENDING } from '../server-under-test.ts';

export const decisionDenied: Check = {
  id: 'decision.denied',
  title: 'a device that was refused hears access_denied',
  requirement: 'R26, RFC 8628 §3.5',
  level: 'must',
  async run(server) {
    const start = await server.start();
    await server.decide(start, 'deny');
    const answer = await server.pollUntilDecided(start);
    return errorOf(answer) === 'access_denied' ? holds() : fails(told(answer));
  },
};

export const pageOpens: Check = {
  id: 'page.opens',
  title: 'the address that people are told opens',
  requirement: 'R16, RFC 8628 §3.3',
  level: 'must',
  async run(server) {
    const page = await open(server, (await server.start()).verificationUri);
    return page.status < 400 ? holds(`${page.status}`) : fails(`${page.status}`);
  },
};

export const pageGetApprovesNothing: Check = {
  id: 'page.get-approves-nothing',
  title: 'to open a link approves nothing',
  requirement: 'R13, R16, RFC 8628 §3.3',
  level: 'must',
  async run(server) {
    const start = await server.start();
    await openBoth(server, start);
    const answer = await server.poll(start);
    return PENDING.has(errorOf(answer) ?? '') ? holds() : fails(`the device then gets ${told(answer)}`);
  },
};

export const pageHidesDeviceCode: Check = {
  id: 'page.hides-device-code',
  title: 'the page does not show the device code',
  requirement: 'R19, RFC 8628 §3.3',
  level: 'should',
  async run(server) {
    const start = await server.start();
    const pages = await openBoth(server, start);
    const isShown = pages.some(({ text, headers }) =>
      `${text}${JSON.stringify([...headers])}`.includes(start.deviceCode),
    );
    return isShown ? fails('it is there') : holds('as far as one sees who has not signed in');
  },
};

async function openBoth(server: ServerUnderTest, start: DeviceStart) {
  const addresses = [start.verificationUri, start.verificationUriComplete].filter((one) => one !== undefined);
  const pages = [];
  for (const address of addresses) pages.push(await open(server, address));
  return pages;
}

const MAX_REDIRECTS = 5;

/** As a link scanner does: without cookies, and not past this server. */
async function open({ approach }: ServerUnderTest, address: string) {
  if (!URL.canParse(address)) throw new Error(`${address} is no address`);
  let url = new URL(address);
  for (let n = 0; ; n += 1) {
    const page = await askFor(approach.fetch, url.href, { headers: { accept: 'text/html' } });
    const location = page.headers.get('location');
    if (location === null || page.status < 300 || page.status >= 400 || n === MAX_REDIRECTS) return page;
    const next = new URL(location, url);
    if (next.origin !== url.origin) return page;
    url = next;
  }
}

export const lifetimeOver: Check = {
  id: 'lifetime.over',
  title: 'after its time a code gets no tokens and is not pending',
  requirement: 'R10, R27, RFC 8628 §3.5',
  level: 'must',
  seconds: waitFor,
  async run(server) {
    const answer = await pollAfterTheEnd(server);
    if (typeof answer === 'string') return cannotBeSeen(answer);
    if (hasTokens(answer) || PENDING.has(errorOf(answer) ?? '')) return fails(told(answer));
    return errorOf(answer) === undefined ? fails(told(answer)) : holds(told(answer));
  },
};

export const lifetimeExpiredToken: Check = {
  id: 'lifetime.expired-token',
  title: 'a device whose code ran out hears expired_token',
  requirement: 'R27, RFC 8628 §3.5 (RFC 6749 §5.2 has invalid_grant for what expired)',
  level: 'should',
  seconds: waitFor,
  async run(server) {
    const answer = await pollAfterTheEnd(server);
    if (typeof answer === 'string') return cannotBeSeen(answer);
    return errorOf(answer) === 'expired_token' ? holds() : fails(told(answer));
  },
};

const MARGIN_SECONDS = 1.5;

async function pollAfterTheEnd(server: ServerUnderTest) {
  const start = await server.start();
  const { waitSeconds } = server.approach;
  if (!(start.expiresInSeconds + MARGIN_SECONDS <= waitSeconds)) {
    return `codes live ${start.expiresInSeconds} s: needs a client whose codes live shorter, or --wait ${start.expiresInSeconds + 2}`;
  }
  await server.wait(start.expiresInSeconds + MARGIN_SECONDS);
  return server.poll(start);
}

function waitFor(server: ServerUnderTest): number {
  const seconds = (server.usualStart?.expiresInSeconds ?? 0) + MARGIN_SECONDS;
  return seconds <= server.approach.waitSeconds ? seconds : 0;
}
