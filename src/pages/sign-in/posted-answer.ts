import type { Request, Response } from 'express';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { noteFacts } from '../frame/request-facts.ts';

/** What an authorization answer has (RFC 6749 §4.1.2, RFC 9207); Apple's `user` and the like are not read. */
const FIELDS = ['code', 'state', 'iss', 'error', 'error_description'];
/** What our own listener takes as an address, and most proxies. */
const MAX_ADDRESS_LENGTH = 7 * 1024;

/** Whether this callback is that of an upstream that answers by a form. */
export function takesPostedAnswer({ deps }: PageContext, request: Request): boolean {
  return deps.upstreams.get(String(request.params['upstream']))?.responseMode === 'form_post';
}

/**
 * POST `/callback/{upstream}` (OAuth 2.0 Form Post Response Mode). Our cookies do not come with another site's form, so
 * nothing is judged here: the answer becomes the address that an upstream without forms would have led to, and GET does
 * all the rest. A forged post gains what a link to that address gains.
 */
export function redirectPostedAnswer(context: PageContext, request: Request, response: Response): void {
  const upstream = String(request.params['upstream']);
  noteFacts(response, { upstream });
  const answer: Record<string, string> = {};
  for (const name of FIELDS) {
    if (Array.isArray((request.body as Record<string, unknown> | undefined)?.[name])) {
      throw new PageProblem('bad_callback', { detail: `${name} is in the form twice` });
    }
    const value = fieldOf(request.body, name);
    if (value !== undefined) answer[name] = value;
  }
  const address = context.addresses.to(`/callback/${upstream}`, answer);
  if (address.length > MAX_ADDRESS_LENGTH) throw new PageProblem('bad_callback', { detail: 'the answer is too long' });
  response.redirect(303, address);
}
