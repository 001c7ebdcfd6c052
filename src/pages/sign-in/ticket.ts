import type { BrowserValue } from '../../grants/decide/trip.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { SealingKeyMissingError } from '../../sealing/sealing-keys.ts';

/**
 * There is no "current grant": each address names its own, in a ticket that only this browser's session opens. So two
 * tabs cannot meet, and an address that somebody else was sent opens nothing.
 */
interface Tickets {
  /** To the upstream, with a code that was found. */
  'sign-in': SignInTicket;
  /** To the upstream before a code is looked at, since too many wrong ones were typed in all. */
  enter: EnterTicket;
  /** Back from there. */
  entered: EnterTicket & { arrival: string };
  /** At the confirm page. */
  confirm: ConfirmTicket;
  /** After the decision. */
  done: DoneTicket;
  /** The same, as it is kept in the decision: not what the address has, which a copy of the storage could be searched for. */
  receipt: DoneTicket;
  /** At one's own devices. */
  manage: ManageTicket;
}

export interface SignInTicket {
  grant: string;
  /** Normalised. */
  userCode: string;
  codePrefilled: boolean;
  followedLink: boolean;
  /** Asked of the upstream by "use another account". */
  prompt?: 'login' | 'select_account';
}

export interface EnterTicket {
  typed: string;
  memory: string;
}

export interface ConfirmTicket {
  grant: string;
  /** The tag of the trip that brought the sign-in back. */
  arrival: string;
}

export interface ManageTicket {
  arrival: string;
}

export interface DoneTicket {
  grant: string;
  upstream: string;
  account?: string;
  /** Until when the person may take an approval back. */
  undoUntilMs?: number | undefined;
  heldUntilMs?: number | undefined;
  /** Four digits for the device. */
  confirmationCode?: string | undefined;
  /** For the listener on the device's machine. */
  confirmationProof?: string | undefined;
}

export async function writeTicket<Kind extends keyof Tickets>(
  sealing: Sealing,
  browser: BrowserValue,
  kind: Kind,
  ticket: Tickets[Kind],
): Promise<string> {
  return sealing.seal(ticket, `${kind} ticket`, browser);
}

/** The ticket, or `undefined` where it is not one of this browser's. */
export async function readTicket<Kind extends keyof Tickets>(
  sealing: Sealing,
  browser: BrowserValue,
  kind: Kind,
  written: string | undefined,
): Promise<Tickets[Kind] | undefined> {
  if (written === undefined) return undefined;
  try {
    return (await sealing.open(written, `${kind} ticket`, browser)) as Tickets[Kind];
  } catch (error) {
    if (error instanceof SealBrokenError || error instanceof SealingKeyMissingError) return undefined;
    throw error;
  }
}
