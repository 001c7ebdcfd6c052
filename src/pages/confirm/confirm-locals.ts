import type { RequesterPlace } from '../../safeguards/requester.ts';
import type { Obstacle, Warning } from '../../safeguards/safeguards.ts';
import type { HiddenFields } from '../frame/form-guard.ts';
import type { ClockTime, TellsTime } from '../frame/languages.ts';
import type { Reference } from '../frame/reference.ts';

export interface ConfirmLocals extends TellsTime {
  action: string;
  fields: HiddenFields;
  client: string;
  clientLogo: string | undefined;
  account: string;
  /** Where the account is; only where a client's people sign in at several. */
  upstream: string | undefined;
  scopes: readonly ScopeItem[];
  /** What the tokens are for (RFC 8707). */
  resources: readonly string[];
  /** What the tokens say of the person besides who it is, by the names that the configuration gives it. */
  claims: readonly string[];
  /** Of these, the ones that are in its access tokens, so that every service that it calls is told. */
  claimsForServices: readonly string[];
  /** What claims are called in words, for those that have a name of the standard. */
  claimWords: ReadonlyMap<string, string>;
  /** In groups; without its last characters where the person must type those. */
  code: string;
  worksUntil: ClockTime;
  age: string;
  source: string;
  place: RequesterPlace;
  /** Where that is, and whose network, as far as a file of the administrator’s says it. */
  geoPlace: string | undefined;
  deviceLabel: string | undefined;
  /** The device says that it runs on this machine, and will be told by this browser. */
  isLoopback: boolean;
  /** How long the device may act: so many minutes, or until it is ended, at most so many hours or days. */
  duration: { unit: 'minutes' | 'hours' | 'days'; count: number };
  warnings: readonly Warning[];
  /** Set where the person types what the device shows. */
  confirmCode: ConfirmCodeLocals | undefined;
}

export interface ScopeItem {
  name: string;
  description: string | undefined;
  isScope: true;
  /** Its description is ours, and says all of it: the name is for people who read specifications. */
  isStandard: boolean;
  /** A claim of the tokens that the description names, so that it need not be said again. */
  saysClaim: string | undefined;
}

export interface ConfirmCodeLocals {
  length: number;
  isWhole: boolean;
  isNumeric: boolean;
  isWrong: boolean;
  /** Characters between two dashes; none where the end of the code would be grouped otherwise than the device does. */
  group: number | undefined;
  /** Address of the script that shows the groups. */
  script: string;
}

export interface RefusedLocals extends Reference {
  action: string;
  fields: HiddenFields;
  reason: 'account' | 'claims' | Obstacle;
  client: string;
  account: string;
  upstream: string;
}

export interface DoneLocals extends TellsTime {
  state: DoneState;
  client: string;
  account: string;
  upstream: string;
  /** Where the person's devices are listed; only after an approval of theirs. */
  devices: string | undefined;
  /** What the device must be told. */
  confirmationCode: string | undefined;
  /** The way to the listener on the device's machine, until it was gone. */
  loopback: LoopbackWay | undefined;
  undo: { action: string | undefined; fields: HiddenFields; seconds: number; until: ClockTime } | undefined;
}

export interface LoopbackWay {
  /** Of the listener on the device's machine, with the proof. */
  address: string;
  /** Where the digits are. */
  digits: string;
  goesOn: boolean;
}

export type DoneState =
  | 'approved'
  | 'connected'
  | 'denied'
  | 'reported'
  | 'denied_upstream'
  | 'approved_elsewhere'
  | 'denied_elsewhere'
  | 'ended';
