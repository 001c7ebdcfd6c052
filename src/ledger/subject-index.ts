import type { Sealing } from '../sealing/sealing.ts';
import { subjectIndex } from './entry-keys.ts';

/** The person whose device sessions they are: a subject means nothing without its upstream. */
export interface SessionOwner {
  upstream: string;
  subject: string;
}

const PURPOSE = 'subject';

/** Where a new device session of this person is enlisted. */
export function subjectIndexOf(sealing: Sealing, owner: SessionOwner): string {
  return subjectIndex(sealing.tag(PURPOSE, nameOf(owner)));
}

/** Wherever sessions of this person may stand: those of older sealing keys too. */
export function subjectIndexesOf(sealing: Sealing, owner: SessionOwner): string[] {
  return sealing.tags(PURPOSE, nameOf(owner)).map(subjectIndex);
}

function nameOf({ upstream, subject }: SessionOwner): string {
  return JSON.stringify([upstream, subject]);
}
