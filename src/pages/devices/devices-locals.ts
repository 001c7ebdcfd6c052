import type { ScopeItem } from '../confirm/confirm-locals.ts';
import type { HiddenFields } from '../frame/form-guard.ts';

export interface SessionsLocals {
  account: string;
  upstream: string;
  renameAction: string;
  endAction: string;
  longestName: number;
  /** What was just done here, and to which device. */
  status: { did: 'rename' | 'end' | 'end_all'; device: DeviceName | undefined } | undefined;
  /** Those that are connected, the last used first. */
  active: readonly DeviceLocals[];
  ended: readonly DeviceLocals[];
  /** Both. */
  sessions: readonly DeviceLocals[];
  /** Where it is asked whether all are to end; and what that form has, for a template of an administrator's. */
  askEndAll: string;
  endAll: HiddenFields | undefined;
  /** The session whose new name was not taken. */
  wrongName: string | undefined;
  /** Address of the code form. */
  connect: string;
}

export interface DeviceName {
  /** The person's name for it, else what the device calls itself, else client and date. */
  heading: string;
  /** The heading is what the device says, which nobody has checked. */
  isClaimed: boolean;
}

export interface DeviceLocals extends DeviceName {
  id: string;
  client: string;
  name: string | undefined;
  deviceLabel: string | undefined;
  source: string;
  /** Where that is, and whose network. */
  geoPlace: string | undefined;
  started: string;
  lastUsed: string;
  ends: string;
  scopes: readonly string[];
  /** The same with words. */
  permissions: readonly ScopeItem[];
  isEnded: boolean;
  /** The person connected it in this browser and came from there. */
  isNew: boolean;
  /** Shown with its details. */
  isOpen: boolean;
  fields: HiddenFields;
}

export interface EndAllLocals {
  account: string;
  upstream: string;
  action: string;
  fields: HiddenFields;
  /** Back to the list. */
  back: string;
  devices: readonly DeviceName[];
}
