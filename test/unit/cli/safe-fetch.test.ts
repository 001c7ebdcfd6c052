import { describe, expect, it } from 'vitest';
import { assertSafeAddress, wireFetch } from '../../../src/cli/login/safe-fetch.ts';

function wire(answer: () => Response) {
  const asked: unknown[] = [];
  const fetch = (async (url: string) => {
    asked.push(url);
    return answer();
  }) as typeof globalThis.fetch;
  const { signal } = new AbortController();
  return { asked, fetch: wireFetch({ fetch, signal, onAnswer: () => undefined }) };
}

const get = { method: 'GET', headers: {}, redirect: 'manual' } as const;

describe('the wire of gatehouse login', () => {
  it.each([
    'https://login.example.com',
    'http://127.0.0.1:8080',
    'http://127.8.9.10',
    'http://[::1]:1',
    'http://localhost',
  ])('takes %s', (address) => expect(() => assertSafeAddress(address)).not.toThrow());

  it.each([
    'http://login.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'ftp://127.0.0.1',
  ])('sends nothing to %s', async (address) => {
    const { asked, fetch } = wire(() => Response.json({}));
    await expect(fetch(address, get)).rejects.toThrow('refused');
    expect(asked).toEqual([]);
  });

  it('stops reading an answer that has no end', async () => {
    let chunks = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        chunks += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    await expect(wire(() => new Response(endless)).fetch('https://a.example/', get)).rejects.toThrow('more than');
    expect(chunks).toBeLessThan(25);
  });

  it('says where a redirect points, and does not follow it', async () => {
    const redirect = () => new Response(null, { status: 301, headers: { location: 'https://b.example/' } });
    const { asked, fetch } = wire(redirect);
    await expect(fetch('https://a.example/', get)).rejects.toThrow('a redirect to https://b.example/');
    expect(asked).toHaveLength(1);
  });
});
