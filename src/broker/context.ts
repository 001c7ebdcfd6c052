import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Config } from '../config/config.ts';
import type { RecheckUpstream } from '../device-sessions/refresh/recheck-upstream.ts';
import { type GeoPlaces, openGeoPlaces } from '../geo/geo-places.ts';
import type { GrantDeps } from '../grants/start/start-grant.ts';
import { createNetworks, type Networks } from '../network/networks.ts';
import { sourcePrefixes } from '../network/source-prefixes.ts';
import { isSameSettings } from '../sealing/same-settings.ts';
import { createSealing, type Sealing } from '../sealing/sealing.ts';
import { type RandomBytes, Secret } from '../sealing/secret.ts';
import { measuredStorage } from '../storage/measured-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { type AuditingLogger, auditingLogger } from '../telemetry/audit/audit.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createSigningKeys, type SigningKeys } from '../tokens/signing-keys.ts';
import { createRecheckUpstream } from '../upstream/create-recheck-upstream.ts';
import { openIdUpstream } from '../upstream/openid-upstream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { UpstreamSettings } from '../upstream/upstream-settings.ts';

/** What outlives a reload: what holds connections, keys that were made, and what was counted. */
export interface ProcessContext {
  storage: Storage;
  sealing: Sealing;
  logger: AuditingLogger;
  metrics: Metrics;
  randomBytes: RandomBytes;
  /** For the upstreams' tokens and caches; grants go by the storage's clock. */
  clock: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  madeSigningKeys: () => SigningKeys;
}

/** All that follows from one configuration. A reload builds it anew; a request keeps the one that it began with. */
export interface ConfigContext {
  config: Config;
  clients: ReadonlyMap<string, RegisteredClient>;
  upstreams: ReadonlyMap<string, Upstream>;
  recheckUpstream: RecheckUpstream;
  signingKeys: SigningKeys;
  networks: Networks;
  geo: GeoPlaces;
  grants: GrantDeps;
  /** How far an upstream's clock may be from ours. */
  clockToleranceSeconds: (upstream: string) => number;
}

export interface ProcessContextOptions {
  storage: Storage;
  logger?: Logger;
  metrics?: Metrics;
  randomBytes?: RandomBytes;
  clock?: () => number;
  sleep?: (milliseconds: number) => Promise<void>;
}

const SEALING_KEY_BYTES = 32;

export function createProcessContext(config: Config, options: ProcessContextOptions): ProcessContext {
  const { logger = silentLogger, metrics = createMetrics(), randomBytes = systemRandomBytes } = options;
  if (config.sealing === undefined) {
    logger.event('keys.made', { detail: 'a sealing key: what is stored can be opened by this process only' });
  }
  const clock = options.clock ?? Date.now;
  const sleep = options.sleep ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  const made = new Secret(randomBytes(SEALING_KEY_BYTES).toString('base64url'));
  let madeKeys: SigningKeys | undefined;
  return {
    storage: measuredStorage(options.storage, (verb, seconds) => metrics.storageAnswered(verb, seconds)),
    sealing: createSealing(config.sealing?.keys ?? [made]),
    logger: auditingLogger(
      {
        ...{ logger, metrics, clock },
        sleep: options.sleep ?? pauseInBackground,
        randomBytes,
        sourceOf: (address) => sourcePrefixes(address).source,
      },
      config.audit,
    ),
    metrics,
    randomBytes,
    clock,
    sleep,
    madeSigningKeys() {
      if (madeKeys === undefined) {
        logger.event('keys.made', { detail: 'signing keys: tokens verify until this process ends' });
        madeKeys = createSigningKeys();
      }
      return madeKeys;
    },
  };
}

/** An event that nobody waits for must not hold the process that is about to end. */
function pauseInBackground(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

/** @param before the house of the last configuration: upstreams whose settings did not change keep what they know */
export function createConfigContext(
  config: Config,
  processContext: ProcessContext,
  before?: ConfigContext,
): ConfigContext {
  const { storage, sealing, randomBytes, logger } = processContext;
  const upstreams = new Map(
    config.upstreams.map((settings) => [settings.id, upstreamFor(settings, processContext, before)] as const),
  );
  const settings = new Map(config.upstreams.map((upstream) => [upstream.id, upstream]));
  return {
    config,
    clients: new Map(config.clients.map((client) => [client.id, client])),
    upstreams,
    recheckUpstream: createRecheckUpstream({
      upstreams,
      toleranceSeconds: (upstream) => settings.get(upstream)?.toleranceSeconds ?? 0,
      uncheckedSessionSeconds: (upstream) => upstreams.get(upstream)?.uncheckedSessionSeconds ?? 0,
      recheckSeconds: (upstream) => settings.get(upstream)?.recheckSeconds ?? 0,
      now: () => storage.ledger.now(),
      logger,
    }),
    signingKeys: config.signing === undefined ? processContext.madeSigningKeys() : createSigningKeys(config.signing),
    networks: createNetworks(config.networks),
    geo: openGeoPlaces(config.geo, logger, before?.geo),
    grants: { ledger: storage.ledger, sealing, randomBytes, userCodes: config.userCodes },
    clockToleranceSeconds: (upstream) => upstreams.get(upstream)?.clockToleranceSeconds ?? 0,
  };
}

function upstreamFor(
  settings: UpstreamSettings,
  processContext: ProcessContext,
  before: ConfigContext | undefined,
): Upstream {
  const known = before?.config.upstreams.find(({ id }) => id === settings.id);
  const standing = before?.upstreams.get(settings.id);
  if (known !== undefined && standing !== undefined && isSameSettings(known, settings)) return standing;
  const { clock, logger, metrics } = processContext;
  return openIdUpstream(settings, { clock, logger, metrics });
}
