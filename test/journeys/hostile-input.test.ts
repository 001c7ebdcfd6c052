import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FuzzedBroker, startFuzzedBroker } from '../fuzz/fuzzed-broker.ts';
import { type Answer, judgeAnswer } from '../fuzz/judge-answer.ts';
import { runFuzz } from '../fuzz/run-fuzz.ts';

const REQUESTS = 20_000;
const MEBIBYTE = 1024 * 1024;
const seeds = readFileSync(join(import.meta.dirname, '../fuzz/seeds.txt'), 'utf8')
  .trim()
  .split('\n')
  .map(Number);

let fuzzed: FuzzedBroker;
beforeAll(async () => {
  fuzzed = await startFuzzedBroker();
});
afterAll(() => fuzzed.close());

describe('hostile input at every endpoint', () => {
  it.each(seeds)(
    'from seed %i gets valid answers, no 5xx, and leaves the process well',
    { timeout: 240_000 },
    async (seed) => {
      const requests = Math.ceil(REQUESTS / seeds.length);
      const { origin } = fuzzed.broker;
      const { sent, failures, statuses } = await runFuzz({ origin, upstream: fuzzed.upstream, requests, seed });
      expect(failures).toEqual([]);
      expect(fuzzed.complaints()).toEqual([]);
      expect(sent).toBe(requests);
      // Enough of them must get somewhere, or nothing was tried.
      expect(statuses['200']).toBeGreaterThan(requests / 20);
      expect(await fuzzed.residentBytes()).toBeLessThan(500 * MEBIBYTE);
      expect(fuzzed.broker.child.exitCode).toBeNull();
    },
  );
});

describe('the judge of answers', () => {
  const request = { path: '/token', method: 'POST', text: '', isBroken: false };
  const json = { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': 'x' };
  const html = { 'content-type': 'text/html', 'cache-control': 'no-store', 'x-request-id': 'x' };
  const csp = { 'content-security-policy': "frame-ancestors 'none'" };
  const page = '<html lang="en"><title>T</title><h1>T</h1>';
  it.each<[string, number, Record<string, string>, string]>([
    ['a 500', 500, json, '{"error":"server_error"}'],
    ['an invented error', 400, json, '{"error":"oops"}'],
    ['a quote in a description', 400, json, '{"error":"invalid_request","error_description":"a \\" b"}'],
    ['JSON that may be kept', 400, { ...json, 'cache-control': '' }, '{"error":"invalid_request"}'],
    ['JSON cut short', 400, json, '{"error":'],
    ['405 without Allow', 405, json, '{"error":"invalid_request"}'],
    ['a redirect elsewhere', 303, { ...html, location: 'https://evil.example/' }, ''],
    ['a redirect to another host by //', 303, { ...html, location: '//evil.example/' }, ''],
    ['a page without heading', 200, { ...html, ...csp }, page.replace('h1', 'h2')],
    ['a page with markup of the caller', 200, { ...html, ...csp }, `${page}<fuzz>`],
    ['a page that may be framed', 200, html, page],
    ['an injected header', 400, { ...json, 'x-injected': 'fuzz' }, '{"error":"invalid_request"}'],
    ['an answer of nobody', 404, {}, 'Not found'],
    ['a bare status, as Node’s parser has it', 431, { connection: 'close' }, ''],
  ])('finds %s', (_, status, headers, body) => {
    const answer: Answer = { status, headers: new Map(Object.entries(headers)), body };
    expect(judgeAnswer(answer, request, ['http://127.0.0.1:1'])).toBeTypeOf('string');
  });
});
