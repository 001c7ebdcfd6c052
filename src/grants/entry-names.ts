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
export const arrivalEntry = (id: string, trip: string) => `{${id}}:arrival:${trip}`;
export const sessionEntry = (id: string) => `{${id}}:session`;
export const refreshEntry = (id: string, n: number) => `{${id}}:refresh:${n}`;

export const userCodeEntry = (tag: string) => `code:${tag}`;
export const tripEntry = (tag: string) => `trip:${tag}`;
/** What a trip without a grant (`manage`, `enter`) brought back. */
export const visitEntry = (trip: string) => `arrival:${trip}`;
export const subjectIndex = (tag: string) => `subject:${tag}`;
export const usedEntry = (id: string, n: number) => `{${id}}:used:${n}`;
export const answerEntry = (id: string, n: number) => `{${id}}:answer:${n}`;
export const refreshingLease = (id: string, n: number) => `{${id}}:refreshing:${n}`;
/** When the session was last refreshed: a moment that only grows. */
export const lastUsedMark = (id: string) => `{${id}}:last-used`;
/** How often the session was refreshed, at least: tells where its newest refresh token is to be looked for. */
export const turnsMark = (id: string) => `{${id}}:turns`;
/** Where the newest refresh token's entry is. The mark is moved after a rotation itself, so it may be a little behind. */
export const newestRefreshEntries = (id: string, turns: number) =>
  Array.from({ length: 5 }, (_, behind) => refreshEntry(id, turns + behind));
export const sessionNameEntry = (id: string, n: number) => `{${id}}:name:${n}`;
/** What userinfo says besides the claims of one access token. */
export const userinfoEntry = (id: string, jti: string) => `{${id}}:userinfo:${jti}`;
