import type { Request, Response } from 'express';
import { fieldOf, type PageContext } from './page-context.ts';
import { PageProblem } from './page-problem.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** POST `/language`: a cookie of its own, so that the choice survives the way to the upstream and back. */
export function switchLanguage(context: PageContext, request: Request, response: Response): void {
  const { forms, addresses, languages } = context;
  forms.requireOwnOrigin(request);
  forms.requireVisitorToken(forms.requireVisitor(request), 'language', fieldOf(request.body, 'token'));
  const language = fieldOf(request.body, 'lang');
  if (language === undefined || !languages.speaks(language)) throw new PageProblem('bad_request', { detail: 'lang' });
  response.cookie(addresses.cookieName('language'), language, {
    ...addresses.cookieFlags,
    maxAge: YEAR_MS,
  });
  const back = fieldOf(request.body, 'back');
  response.redirect(303, back !== undefined && addresses.isPage(back) ? back : addresses.to('/device'));
}
