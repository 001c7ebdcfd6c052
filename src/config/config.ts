/**
 * The configuration: one YAML file, checked as a whole and frozen. Each folder declares the slice that it needs in a
 * `*-settings.ts` of its own; here the slices are read, checked against one another and put together. This is the only
 * folder that reads the environment. What a setting does is not here.
 */
import type { RegisteredClient } from '../clients/registered-client.ts';
import type { ResourceServer } from '../endpoints/introspection.ts';
import type { CompatibilitySettings } from '../endpoints/profiles/compatibility-settings.ts';
import type { GeoSettings } from '../geo/geo-places.ts';
import type { UserCodeSettings } from '../grants/start/user-code.ts';
import type { LimitSettings } from '../limits/limit-settings.ts';
import type { NetworkSettings } from '../network/networks.ts';
import type { SourceSettings } from '../network/source-address.ts';
import type { AdminSettings } from '../operations/admin/admin-settings.ts';
import type { PageSettings, ScopeDescriptions } from '../pages/frame/page-deps.ts';
import type { SealingSettings } from '../sealing/sealing-keys.ts';
import type { Secret } from '../sealing/secret.ts';
import type { StorageSettings } from '../storage/storage.ts';
import type { AuditSettings } from '../telemetry/audit/webhook.ts';
import type { LogSettings } from '../telemetry/log-event.ts';
import type { SigningSettings } from '../tokens/signing-keys.ts';
import type { UpstreamSettings } from '../upstream/upstream-settings.ts';
import type { Problem } from './config-error.ts';

/**
 * @example
 * ```ts
 * import type { Config } from 'gatehouse-broker';
 *
 * const clientIds = (config: Config): string[] => config.clients.map(({ id }) => id);
 * ```
 */
export interface Config {
  /** The YAML file, as it was named. */
  readonly file: string;
  /** Absolute paths of everything that was read, the YAML file first: what to watch for a reload. */
  readonly filesRead: readonly string[];
  /** The patterns of further files, absolute: one that comes to match is a change too. */
  readonly includes: readonly string[];
  /** Said at start and by `gatehouse check`; nothing here keeps the broker from starting. */
  readonly warnings: readonly Problem[];

  /** Issuer and only source of every URL; with or without a path, never with a slash at its end. */
  readonly publicUrl: string;
  readonly listen: Listen;
  /** `undefined` switches health, metrics and whatever else is there off. */
  readonly operations: Address | undefined;
  /** `undefined` switches the admin API off. */
  readonly admin: AdminSettings | undefined;
  readonly source: SourceSettings;
  readonly drainSeconds: number;
  readonly log: LogSettings;
  /** Processes that answer; with 1 the one that was started answers itself. */
  readonly workers: number;

  readonly storage: StorageSettings;
  /** `undefined` only with the memory driver: a key is made at start. */
  readonly sealing: SealingSettings | undefined;
  /** `undefined` only with the memory driver: keys are made at start. */
  readonly signing: SigningSettings | undefined;

  readonly upstreams: readonly UpstreamSettings[];
  readonly clients: readonly RegisteredClient[];
  readonly resourceServers: readonly ResourceServer[];
  readonly networks: readonly NetworkSettings[];
  /** `undefined`: nobody is told where an address is. */
  readonly geo: GeoSettings | undefined;

  readonly userCodes: UserCodeSettings;
  /** The form of `verification_uri_complete`, with `{verification_uri}` and `{user_code}` still to be filled in. */
  readonly verificationUriComplete: string;
  /** Scope → what it lets a device do, in the administrator's words. */
  readonly scopeDescriptions: ScopeDescriptions;
  readonly limits: LimitSettings;
  readonly pages: PageSettings;
  readonly audit: AuditSettings;
  readonly compatibility: CompatibilitySettings;
}

/** Where devices and people come in. */
export interface Listen extends Address {
  /** In place of the address: an absolute path, or `systemd` for a socket that it hands over. */
  readonly socket?: string;
  readonly tls?: { readonly cert: string; readonly key: Secret };
}

export interface Address {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}
