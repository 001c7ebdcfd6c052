/** The members of an answer that say something: `null` and `""` are what some upstreams write in place of nothing. */
export function withoutEmpty(answer: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => !isEmpty(value)));
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
