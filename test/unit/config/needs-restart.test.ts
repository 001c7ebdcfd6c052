import { expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import {
  diffNeedingRestart,
  diffNeedingRestartAboveWorkers,
  withoutRestartAboveWorkers,
} from '../../../src/config/needs-restart.ts';
import { isSameSettings } from '../../../src/sealing/same-settings.ts';
import { jwks, rsaPrivate, sealingKey } from './keys.ts';
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
  expect(isSameSettings(secret('a').upstreams, secret('a').upstreams)).toBe(true);
  expect(isSameSettings(secret('a').upstreams, secret('b').upstreams)).toBe(false);
});

it('what Redis is shown anew at each connect needs none, where it comes from a file', () => {
  const written = (name: 'file' | 'env', value: string, more = '') =>
    read(
      leastFile({
        top: `storage: { redis: { url: "rediss://r:1/1", password: { ${name}: P }, tls: { ca: { ${name}: P } }${more} } }\nkeys: { sealing: [{ env: A }], signing: { file: sign } }`,
      }),
      { environment: { ...around.environment, P: value }, files: { P: value, sign: jwks(rsaPrivate) } },
    );
  const atOnePlace = (config: Config): Config =>
    JSON.parse(JSON.stringify(config).replace(/gatehouse-config-\w+/g, ''));
  const [old, next] = [written('file', 'first'), written('file', 'second')];
  expect(diffNeedingRestart(atOnePlace(old), atOnePlace(next))).toEqual([]);
  expect(diffNeedingRestart(written('env', 'first'), written('env', 'second'))).toEqual(['storage']);
  expect(diffNeedingRestart(written('env', 'first'), written('env', 'first', ', username: x'))).toEqual(['storage']);
});

it('who may ask the admin API needs none: a token that leaked is changed at once', () => {
  const admin = (text: string) => read(leastFile({ top: `operations: { ${text} }` }), around);
  const [none, token, other] = [
    admin('port: 1'),
    admin('port: 1, admin: { token: { env: A } }'),
    admin('port: 1, admin: { token: { env: B } }'),
  ];
  expect([diffNeedingRestart(none, token), diffNeedingRestart(token, other), diffNeedingRestart(other, none)]).toEqual([
    [],
    [],
    [],
  ]);
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

it('above workers only operations does, and the way to one process, which keeps what several share', () => {
  const read2 = (workers: number, top = '') => ({ ...read(leastFile({ top }), around), workers });
  const several = read2(4, 'keys: { sealing: [{ env: A }] }');
  const others = read2(2, 'keys: { sealing: [{ env: B }] }\ncompatibility: { authlete: true }');
  expect(diffNeedingRestart(several, others)).toEqual(['workers', 'keys.sealing', 'compatibility']);
  expect(diffNeedingRestartAboveWorkers(several, others)).toEqual([]);
  expect(withoutRestartAboveWorkers(several, others)).toEqual(others);
  const one = read2(1, 'operations: {}');
  expect(diffNeedingRestartAboveWorkers(several, one)).toEqual(['operations', 'workers']);
  const { operations, workers, storage, sealing } = several;
  expect(withoutRestartAboveWorkers(several, one)).toEqual({ ...one, operations, workers, storage, sealing });
});
