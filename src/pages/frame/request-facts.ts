import type { Response } from 'express';

/** What a request turned out to be about, as far as it is known by now. */
export interface RequestFacts {
  /** The grant's tag. */
  grant?: string | undefined;
  client?: string | undefined;
  upstream?: string | undefined;
  subject?: string | undefined;
  /** What a policy looked for. */
  claim?: string | undefined;
}

/**
 * Notes what a request is about as soon as that is known. Whatever goes wrong later in it is logged with all of this:
 * the reference on a problem page leads there, and nobody who throws needs to know where it was found out.
 */
export function noteFacts({ locals }: Pick<Response, 'locals'>, facts: RequestFacts): void {
  locals['facts'] = { ...(locals['facts'] as RequestFacts | undefined), ...known(facts) };
}

export function factsOf({ locals }: Pick<Response, 'locals'>): RequestFacts {
  return (locals['facts'] as RequestFacts | undefined) ?? {};
}

function known(facts: RequestFacts): RequestFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
