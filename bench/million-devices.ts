import type { RefreshCost } from './refresh-rows.ts';

const DEVICES = 1_000_000;
const MINUTE = 60;
/** One device in a hundred signs in within the same ten minutes, and polls every five seconds for two minutes. */
const SIGN_INS_PER_SECOND = (DEVICES * 0.01) / (10 * MINUTE);
const POLLS_PER_SECOND = (SIGN_INS_PER_SECOND * 120) / 5;

export interface MillionFrom {
  refreshes: readonly RefreshCost[];
  pollMicroseconds: number;
  signInMs: number;
  signInCommands: number;
  sessionBytes: number;
}

/** What a million devices cost by what was measured: reckoned, since nobody has run it. */
export function millionDevices(from: MillionFrom): string {
  const { pollMicroseconds, signInMs, signInCommands, sessionBytes } = from;
  const besides = (POLLS_PER_SECOND * pollMicroseconds) / 1e6 + (SIGN_INS_PER_SECOND * signInMs) / 1000;
  const rows = [10 * MINUTE, 60 * MINUTE].flatMap((lifeSeconds) =>
    from.refreshes.map(({ name, atOnceMs, commands }) => {
      const perSecond = DEVICES / lifeSeconds;
      const cores = (perSecond * atOnceMs) / 1000;
      const commandsPerSecond = perSecond * commands + POLLS_PER_SECOND + SIGN_INS_PER_SECOND * signInCommands;
      const cells = [
        `${lifeSeconds / MINUTE} minutes`,
        name,
        perSecond.toFixed(0),
        cores.toFixed(1),
        besides.toFixed(1),
        Math.ceil((cores + besides) * 1.5).toFixed(0),
        commandsPerSecond.toFixed(0),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  return `What a million devices cost, reckoned from the figures above: all of them in use at once, and one in a hundred signing in within the
same ten minutes. Their sessions take ${((DEVICES * sessionBytes) / 1e9).toFixed(1)} GB of Redis. "To have" is half as much again.

| access tokens of | each refresh | refreshes/s | cores for them | for polls and sign-ins | cores to have | commands/s to Redis |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}`;
}
