import type { Response } from 'express';
import type { Language } from './languages.ts';

/** What a person tells a help desk, and what the log has in the line about it. */
export interface Reference {
  reference: string;
  /** RFC 3339, UTC. */
  time: string;
  /** The same as people write it. */
  moment: string;
}

export function referenceOf(response: Response, language: Language): Reference {
  const nowMs = Date.now();
  return {
    reference: requestIdOf(response),
    time: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    moment: language.moment(nowMs),
  };
}

/** The reference that the outer handler gave the answer. */
export function requestIdOf(response: Response): string {
  const id = response.getHeader('X-Request-Id');
  return typeof id === 'string' ? id : '';
}
