/** How the process says that it is ready: in words, as JSON for those who collect stdout as they do the log, or not at all. */
export const READY_LINES = ['text', 'json', 'none'] as const;

export type ReadyLine = (typeof READY_LINES)[number];

export interface Announcement {
  publicUrl: string;
  /** Whether the storage answers; until it does nobody can sign in. */
  isReady: boolean;
}

export function readyLine(form: ReadyLine, { publicUrl, isReady }: Announcement): string {
  if (form === 'none') return '';
  if (form === 'json') return `${JSON.stringify({ event: isReady ? 'ready' : 'waiting', public_url: publicUrl })}\n`;
  return isReady
    ? `Gatehouse is ready at ${publicUrl}\n`
    : `Gatehouse listens at ${publicUrl} and waits for its storage: nobody can sign in until that answers\n`;
}
