import { OAuthError } from '../../oauth/oauth-error.ts';
import type { AdminCall, Parameter } from './admin-route.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export const PAGING: Readonly<Record<string, Parameter>> = {
  from: {
    in: 'query',
    description: 'The `next` of the page before',
    schema: { type: 'string', maxLength: 200 },
  },
  limit: {
    in: 'query',
    description: 'How many to look for; a page may have fewer, or some more',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
  },
};

export interface Paging {
  from: string | undefined;
  limit: number;
}

/** @throws {OAuthError} `invalid_request` */
export function pagingOf({ parameters }: AdminCall): Paging {
  const written = parameters.get('limit');
  const limit = written === undefined ? DEFAULT_LIMIT : Number(written);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new OAuthError('invalid_request', `limit is a whole number from 1 to ${MAX_LIMIT}`);
  }
  return { from: parameters.get('from'), limit };
}

/** Also of one that was true: after a failover or a restart of the storage it would pass over what is there. */
export function unknownFrom(): OAuthError {
  const words = 'from is no next of a page before, or the storage was moved or restarted since: begin again without it';
  return new OAuthError('invalid_request', words);
}
