/** Changes claims, headers and metadata: a value replaces, `null` removes. */
export function changed(base: Record<string, unknown>, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== null));
}
