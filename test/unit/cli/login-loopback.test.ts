import { request } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayBrowseHere } from '../../../src/cli/login/browser-here.ts';
import { type LoopbackListener, openLoopbackListener } from '../../../src/cli/login/loopback-listener.ts';

const PROOF = 'cHJvb2Ytb2YtMTI4LWJpdA';

let listener: LoopbackListener;
beforeEach(async () => {
  const opened = await openLoopbackListener();
  if (opened === undefined) throw new Error('nothing may listen here');
  listener = opened;
  listener.returnTo('https://login.example.com/device');
});
afterEach(() => listener.close());

interface Asked {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
}

function ask({ method = 'GET', path = good(), headers = {} }: Asked = {}) {
  return new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: listener.port, method, path, agent: false as const };
    const sent = request({ ...options, headers: { host: `127.0.0.1:${listener.port}`, ...headers } }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve({ status: answer.statusCode, location: answer.headers.location }));
    });
    sent.once('error', reject).end();
  });
}

function good(more = ''): string {
  return `/${listener.path}?proof=${PROOF}${more}`;
}

describe('the listener for the proof', () => {
  it('takes it once, at its own path', async () => {
    expect(listener.path).toMatch(/^[\w-]{22}$/);
    expect(listener.arrival.aborted).toBe(false);
    expect((await ask()).status).toBe(200);
    expect(listener.arrival.aborted).toBe(true);
    expect([listener.take(), listener.take()]).toEqual([PROOF, undefined]);
    expect(listener.arrival.aborted).toBe(false);
    // As a reload does.
    expect((await ask()).status).toBe(200);
    expect(listener.take()).toBeUndefined();
  });

  it.each<[string, () => Asked]>([
    ['another path', () => ({ path: `/?proof=${PROOF}` })],
    ['a path that is nearly right', () => ({ path: good().replace(listener.path, listener.path.slice(0, -1)) })],
    ['a path below', () => ({ path: good().replace('?', '/x?') })],
    ['an address as a proxy is asked', () => ({ path: `http://127.0.0.1:${listener.port}${good()}` })],
    ['no proof', () => ({ path: `/${listener.path}` })],
    ['a proof that is none', () => ({ path: `/${listener.path}?proof=short` })],
    ['a proof of other characters', () => ({ path: `/${listener.path}?proof=${'<'.repeat(22)}` })],
    ['a form', () => ({ method: 'POST' })],
    ['HEAD, as link scanners ask', () => ({ method: 'HEAD' })],
    ['another name of this machine', () => ({ headers: { host: `localhost:${listener.port}` } })],
    ['a name that was bound anew to this address', () => ({ headers: { host: `evil.example:${listener.port}` } })],
    ['an image of some page', () => ({ headers: { 'sec-fetch-dest': 'image' } })],
    ['a frame of some page', () => ({ headers: { 'sec-fetch-dest': 'iframe' } })],
    ['a script’s fetch', () => ({ headers: { 'sec-fetch-dest': 'empty' } })],
  ])('answers 404 to %s, and nothing comes of it', async (_, asked) => {
    expect((await ask(asked())).status).toBe(404);
    expect([listener.take(), listener.arrival.aborted]).toEqual([undefined, false]);
    expect((await ask()).status).toBe(200);
    expect(listener.take()).toBe(PROOF);
  });

  it('knows no other path', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[\w.~/-]{0,40}$/), async (path) => {
        expect((await ask({ path: `/${path}?proof=${PROOF}` })).status).toBe(404);
      }),
      { numRuns: 50, examples: [['valueOf'], ['__proto__'], ['favicon.ico']] },
    );
    expect(listener.take()).toBeUndefined();
  });

  it('sends the browser back to the server that it signs in at, and to no other', async () => {
    const back = 'https://login.example.com/device/done?ticket=x&loopback=told';
    expect(await ask({ path: good(`&return_uri=${encodeURIComponent(back)}`) })).toEqual({
      status: 303,
      location: back,
    });
    // Whatever comes, it is an address that a header can have.
    const letters = encodeURIComponent('https://login.example.com/設定\n');
    expect((await ask({ path: good(`&return_uri=${letters}`) })).location).toBe(
      'https://login.example.com/%E8%A8%AD%E5%AE%9A',
    );
    for (const elsewhere of [
      'https://evil.example/',
      'http://login.example.com/device',
      'https://login.example.com@evil.example/',
      'https://login.example.com.evil.example/',
      '//evil.example',
      'javascript:alert(1)',
      'x',
    ]) {
      const answer = await ask({ path: good(`&return_uri=${encodeURIComponent(elsewhere)}`) });
      expect(answer, elsewhere).toEqual({ status: 200, location: undefined });
    }
  });

  it('takes three proofs and no more: the server looks at no more either', async () => {
    const proofs = ['A', 'B', 'C', 'D'].map((letter) => letter.repeat(22));
    const statuses = [];
    for (const proof of proofs) statuses.push((await ask({ path: `/${listener.path}?proof=${proof}` })).status);
    expect(statuses).toEqual([200, 200, 200, 404]);
    expect(listener.take()).toBe('C'.repeat(22));
  });

  it('is gone once it is closed', async () => {
    listener.close();
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a browser on this machine', () => {
  it.each([
    ['linux', { DISPLAY: ':0' }, true],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['linux', { WSL_DISTRO_NAME: 'Debian' }, true],
    ['linux', {}, false],
    ['linux', { DISPLAY: '' }, false],
    ['darwin', {}, true],
    ['win32', {}, true],
    ['darwin', { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }, false],
    ['linux', { DISPLAY: 'localhost:10.0', SSH_TTY: '/dev/pts/0' }, false],
    ['linux', { DISPLAY: ':0', container: 'podman' }, false],
    ['linux', { DISPLAY: ':0', CODESPACES: 'true' }, false],
  ] as const)('on %s with %o: %s', (platform, environment, isLikely) => {
    expect(mayBrowseHere(environment, platform)).toBe(isLikely);
  });
});
