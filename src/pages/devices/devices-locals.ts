import type { HiddenFields } from '../frame/views.ts';

export interface SessionsLocals {
  account: string;
  upstream: string;
  renameAction: string;
  endAction: string;
  longestName: number;
  sessions: readonly {
    id: string;
    client: string;
    name: string | undefined;
    deviceLabel: string | undefined;
    source: string;
    started: string;
    lastUsed: string;
    ends: string;
    scopes: readonly string[];
    isEnded: boolean;
    fields: HiddenFields;
  }[];
  endAll: HiddenFields | undefined;
  /** The session whose new name was not taken. */
  wrongName: string | undefined;
}
