const SECONDS = { s: 1, m: 60, h: 60 * 60, d: 24 * 60 * 60 } as const;

export const DURATION_PATTERN = /^(0|[1-9][0-9]{0,8})(s|m|h|d)$/;

/** `90s`, `10m`, `12h`, `30d` → seconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION_PATTERN.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

/** Seconds → the shortest exact form: 5400 is `90m`. */
export function formatDuration(seconds: number): string {
  const unit = (['d', 'h', 'm'] as const).find((one) => seconds > 0 && seconds % SECONDS[one] === 0) ?? 's';
  return `${seconds / SECONDS[unit]}${unit}`;
}
