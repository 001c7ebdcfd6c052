import type { IncomingMessage } from 'node:http';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { GeoPlaces } from '../../geo/geo-places.ts';
import type { GrantDeps } from '../../grants/start/start-grant.ts';
import type { CodeEntryLimits } from '../../limits/code-entry-limits.ts';
import type { SignInLimits } from '../../limits/sign-in-limits.ts';
import type { SafeguardJudge } from '../../safeguards/safeguards.ts';
import type { BrowserSessions } from '../../storage/storage.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Upstream } from '../../upstream/upstream.ts';

/** What the pages stand on. */
export interface PagesDeps {
  publicUrl: URL;
  grants: GrantDeps;
  /** The storage's; the pages hash ids and seal contents before anything gets there. */
  browserSessions: BrowserSessions;
  clients: ReadonlyMap<string, RegisteredClient>;
  upstreams: ReadonlyMap<string, Upstream>;
  scopeDescriptions: ScopeDescriptions;
  settings: PageSettings;
  codeEntryLimits: CodeEntryLimits;
  signInLimits: SignInLimits;
  safeguards: SafeguardJudge;
  geo: GeoPlaces;
  /** The peer's address, as far as `trusted_proxies` lets us know it. */
  sourceOf: (request: IncomingMessage) => string;
  log: Pick<Logger, 'event'>;
}

/** What scopes mean, by scope: in one language, or in several by their tags. */
export type ScopeDescriptions = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

export interface PageSettings {
  title: string;
  /** A data: URI or an address on `public_url`'s own origin; nothing is loaded from elsewhere. */
  logo?: string;
  /** The same for people who chose dark colours. */
  logoDark?: string;
  support?: string;
  /** Where the help desk is reached. */
  supportLinks?: readonly { href: string; text: string }[];
  footer?: string;
  languages: readonly string[];
  theme: { accent?: string; background?: string };
  /** A folder of templates that win over ours. */
  views?: string;
}
