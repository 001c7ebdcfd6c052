import type { ProbeReport, TripParameters } from './upstream.ts';
import type { ProviderMetadata } from './upstream-requests.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export interface ProbeTools {
  discover: () => Promise<ProviderMetadata>;
  loadKeys: (metadata: ProviderMetadata) => Promise<unknown>;
  signInAddress: (trip: TripParameters) => Promise<URL>;
  tryGrant: (grantType: string, parameters: Record<string, string>) => Promise<void>;
  timeoutMs: number;
}

export async function probeUpstream(
  _redirectUri: string,
  _settings: UpstreamSettings,
  _tools: ProbeTools,
): Promise<ProbeReport> {
  return { ok: true, findings: [] };
}
