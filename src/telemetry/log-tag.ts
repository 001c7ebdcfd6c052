/** How a grant or a device session is called in the log: the same in all its lines, and no use to anybody. */
export function logTag(id: string): string {
  return id.slice(0, 8);
}
