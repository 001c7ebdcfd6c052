/** The names of all entries, as the storage table of the documentation lists them; a driver adds its prefix. */
export const grantEntry = (id: string) => `{${id}}:grant`;
export const decisionEntry = (id: string) => `{${id}}:decision`;
export const spentEntry = (id: string) => `{${id}}:spent`;
export const endedEntry = (id: string) => `{${id}}:ended`;
export const deliveredEntry = (id: string) => `{${id}}:delivered`;
export const openedEntry = (id: string) => `{${id}}:opened`;
export const openedAgainEntry = (id: string) => `{${id}}:opened-again`;
/** The places of the codes that a device tried (`confirmation_code`), each written once. */
export const confirmationEntry = (id: string, place: number) => `{${id}}:confirmation:${place}`;
/** There were more codes than places, or no right one among as many: nothing is redeemed any more. */
export const confirmationDeniedEntry = (id: string) => `{${id}}:confirmation-denied`;
/** Which DPoP proof of the grant's polls was the newest: a number that only grows. */
export const newestProofMark = (id: string) => `{${id}}:newest-proof`;
export const arrivalEntry = (id: string, trip: string) => `{${id}}:arrival:${trip}`;
export const sessionEntry = (id: string) => `{${id}}:session`;
/** Where a device session's chain of refresh tokens stands: the one entry that is replaced, by `commit`. */
export const refreshEntry = (id: string) => `{${id}}:refresh`;
/** Token n was shown, and not exchanged at once: its parent is worth nothing from then on. */
export const presentedEntry = (id: string, n: number) => `{${id}}:presented:${n}`;
/** One of the refused wishes of a session. */
export const refusedWishEntry = (id: string, n: number) => `{${id}}:refused-wish:${n}`;

export const userCodeEntry = (tag: string) => `code:${tag}`;
export const tripEntry = (tag: string) => `trip:${tag}`;
/** Which answer a trip was taken with, and when. */
export const answeredEntry = (tag: string) => `trip:${tag}:answered`;
/** What a trip without a grant (`manage`, `enter`) brought back. */
export const visitEntry = (trip: string) => `arrival:${trip}`;
/** When somebody last signed in from a session at an upstream that logs out over the front channel. */
export const knownSidMark = (tag: string) => `sid:${tag}`;
export const subjectIndex = (tag: string) => `subject:${tag}`;
/** What an administrator's command has ended, until a broker has logged it. */
export const announcedEndEntry = (id: string) => `announced-end:${id}`;
export const announcedEndsIndex = () => 'announced-ends';
/** What an administrator's mark is about, who set it and when; the mark itself is a hash for most of them. */
export const killMarkEntry = (id: string) => `kill-mark:${id}`;
export const killMarksIndex = () => 'kill-marks';
/** Held while the upstream is asked, by the attempt of the refresh entry (of release 0.1.0: by the token's number). */
export const refreshingLease = (id: string, stands: string | number) => `{${id}}:refreshing:${stands}`;
/** When a session that has ended was last refreshed; while it lives its refresh entry says so. */
export const lastUsedMark = (id: string) => `{${id}}:last-used`;

/** Of release 0.1.0, which kept an entry for each refresh token: the token's own, and what stands once it was used. */
export const chainedRefreshEntry = (id: string, n: number) => `{${id}}:refresh:${n}`;
export const usedEntry = (id: string, n: number) => `{${id}}:used:${n}`;
/** How often 0.1.0 refreshed the session, at least: tells where its newest refresh token is to be looked for. */
export const refreshCountMark = (id: string) => `{${id}}:turns`;
/** The mark was moved after a rotation itself, so it may be a little behind. */
export const newestChainedEntries = (id: string, turns: number) =>
  Array.from({ length: 5 }, (_, behind) => chainedRefreshEntry(id, turns + behind));
export const sessionNameEntry = (id: string, n: number) => `{${id}}:name:${n}`;
/** What userinfo says besides the claims of one access token. */
export const userinfoEntry = (id: string, jti: string) => `{${id}}:userinfo:${jti}`;
