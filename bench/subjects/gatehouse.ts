import { randomBytes } from 'node:crypto';
import { createBroker } from '../../src/broker/broker.ts';
import { setV8Flags } from '../../src/cli/start/v8-flags.ts';
import { readConfig } from '../../src/config/load-config.ts';
import { grantId, newDeviceCode } from '../../src/grants/device-code.ts';
import { grantEntry, userCodeEntry } from '../../src/ledger/entry-keys.ts';
import { encodeGrant } from '../../src/ledger/grant.ts';
import { memoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { pollBody, runSubject } from './subject.ts';

/**
 * Gatehouse as it is run, with pending grants that wait to be polled: `gatehouse.ts GRANTS POLLED [REDIS]`. On a Redis
 * where one is named, else in memory. Only POLLED of the grants are handed to the load.
 */
const [grants = '1000', polled = grants, redisUrl] = process.argv.slice(2);

const YAML = `
public_url: http://127.0.0.1:8080
upstreams: { corp: { issuer: "http://127.0.0.1:9", client_id: gatehouse, authentication: none } }
clients: { tv: { name: TV, interval: 1s, lifetimes: { code: 30m } } }
limits: { starts_per_source: 0, pending_per_source: 0, pending_per_client: 0, pending_total: 0 }
`;
const MINUTE = 60_000;
const LIFE_MS = 30 * MINUTE;
const AT_ONCE = 1000;

setV8Flags();
const config = readConfig('bench.yaml', YAML, {});
const storage: Storage =
  redisUrl === undefined
    ? memoryStorage({ maxEntries: 4_000_000 })
    : redisStorage({ at: { url: redisUrl }, keyPrefix: 'gatehouse:' });
await storage.open();
const broker = await createBroker({ config, storage, logger: createLogger({ level: 'info' }) });

await runSubject(broker.handle, async () => {
  const codes: string[] = [];
  const startedAtMs = await storage.ledger.now();
  for (let n = 0; n < Number(grants); n += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, Number(grants) - n) }, () => writeGrant(startedAtMs));
    codes.push(...(await Promise.all(batch)).slice(0, Math.max(0, Number(polled) - codes.length)));
  }
  return { path: '/token', bodies: codes.map(pollBody) };
});

/** A grant as a start writes it, but for the key pair, which would make the preparation of a million last for hours. */
async function writeGrant(startedAtMs: number): Promise<string> {
  const { sealing, ledger } = { sealing: broker.processContext.sealing, ledger: storage.ledger };
  const deviceCode = newDeviceCode(randomBytes);
  const id = grantId(deviceCode);
  const userCodeTag = sealing.tag('user code', id);
  const keptUntilMs = startedAtMs + 2 * LIFE_MS;
  const grant = {
    id,
    clientId: 'tv',
    challenge: '',
    jkt: '',
    intervalMs: 1000,
    startedAtMs,
    expiresAtMs: startedAtMs + LIFE_MS,
    keptUntilMs,
    scopes: ['openid', 'profile'],
    resources: [],
    source: '198.51.100.23',
    userCodeTag,
    publicKey: randomBytes(32).toString('base64url'),
  };
  const index = { key: userCodeEntry(userCodeTag), value: `${id}|`, expiresAtMs: keptUntilMs };
  const entry = { key: grantEntry(id), value: encodeGrant('', grant, sealing), expiresAtMs: keptUntilMs };
  await Promise.all([ledger.commit({ attempt: id, writes: [index] }), ledger.commit({ attempt: '', writes: [entry] })]);
  return deviceCode.reveal();
}
