import type { BrowserValue } from '../grants/trip.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { SealingKeyMissingError } from '../sealing/sealing-keys.ts';

/**
 * There is no "current grant": each address names its own, in a ticket that only this browser's session opens. So two
 * tabs cannot meet, and an address that somebody else was sent opens nothing.
 */
export interface SignInTicket {
  grant: string;
  /** As the person entered it. */
  userCode: string;
  codePrefilled: boolean;
  /** Asked of the upstream by "use another account". */
  prompt?: 'login' | 'select_account';
}

export interface GrantTicket {
  grant: string;
  /** The tag of the trip that brought the sign-in back; none where the upstream refused. */
  arrival?: string;
  /** Which upstream refused, where one did. */
  upstream?: string;
}

interface Tickets {
  'sign-in': SignInTicket;
  grant: GrantTicket;
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
