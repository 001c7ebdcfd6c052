import { expect, it } from 'vitest';
import { diffNeedingRestart, isSameSlice } from '../../../src/config/needs-restart.ts';
import { sealingKey } from './keys.ts';
import { type Around, type Lines, leastFile, read } from './written.ts';

const changes: [key: string, before: Lines, after: Lines][] = [
  ['public_url', {}, { url: 'http://127.0.0.1:8081' }],
  ['listen', {}, { top: 'listen: { port: 1 }' }],
  ['operations', {}, { top: 'operations: {}' }],
  ['keys.sealing', { top: 'keys: { sealing: [{ env: A }] }' }, { top: 'keys: { sealing: [{ env: B }] }' }],
  ['compatibility', {}, { top: 'compatibility: { authlete: true }' }],
];
const around: Around = { environment: { A: sealingKey(), B: sealingKey() } };

it.each(changes)('%s needs a restart', (key, before, after) => {
  const [old, next] = [read(leastFile(before), around), read(leastFile(after), around)];
  expect(diffNeedingRestart(old, next)).toEqual([key]);
  expect(diffNeedingRestart(next, next)).toEqual([]);
});

it('storage needs a restart, also where only the password is another', () => {
  const old = read(leastFile());
  const redis = { driver: 'redis' as const, redis: { at: { url: 'redis://127.0.0.1' }, keyPrefix: 'gatehouse:' } };
  expect(diffNeedingRestart(old, { ...old, storage: redis })).toEqual(['storage']);
  const secret = (S: string) => read(leastFile({ upstream: 'client_secret: { env: S }' }), { environment: { S } });
  expect(isSameSlice(secret('a').upstreams, secret('a').upstreams)).toBe(true);
  expect(isSameSlice(secret('a').upstreams, secret('b').upstreams)).toBe(false);
});

it('everything else reloads', () => {
  const next = read(
    leastFile({
      client: 'interval: 9s',
      upstream: 'tolerance: 2h',
      top: 'drain: 1s\nlog: { level: warn }\nlimits: { pending_total: 1 }\npages: { title: T }\ntrusted_proxies: []',
    }),
  );
  expect(diffNeedingRestart(read(leastFile()), next)).toEqual([]);
});
