import type { ProbeReport, TripParameters } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export interface ProbeTools {
  settings: UpstreamSettings;
  discover: () => Promise<Readonly<Record<string, unknown>>>;
  loadKeys: () => Promise<unknown>;
  tryCode: (parameters: Record<string, string>) => Promise<void>;
  signInAddress: (trip: TripParameters) => Promise<URL>;
  timeoutMs: number;
}

export async function probeUpstream(_redirectUri: string, _tools: ProbeTools): Promise<ProbeReport> {
  return { ok: true, findings: [] };
}
