import type { Sealing } from '../sealing/sealing.ts';

/** How a grant or a device session is called in the log: the same in all its lines, and no use to anybody. */
export function logTag(id: string): string {
  return id.slice(0, 8);
}

/** How a user code is called in the log: the same in every line about it, and nothing that the storage's keys have. */
export function codeTag(sealing: Pick<Sealing, 'tag'>, userCode: string): string {
  return sealing.tag('log', userCode.replaceAll('-', '')).slice(0, 8);
}
