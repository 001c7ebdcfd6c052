import type { RequestHandler } from 'express';
import { createHostJudge } from '../../network/requested-host.ts';
import type { PageContext } from './page-context.ts';
import { PageProblem } from './page-problem.ts';

/**
 * A browser that asks by another name of this machine is sent on to `public_url`, since cookies and forms belong to one
 * name. A name that is none of this machine gets nothing but the right address.
 */
export function onlyOwnHost({ deps, addresses }: PageContext): RequestHandler {
  const hostOf = createHostJudge(deps.publicUrl.href);
  const publicUrl = deps.publicUrl.href.replace(/\/$/, '');
  return (request, response, next) => {
    const host = hostOf(request.headers.host);
    if (host === 'foreign') {
      const detail = `Host ${request.headers.host}`;
      throw new PageProblem('wrong_host', { again: `${publicUrl}/device`, words: { address: publicUrl }, detail });
    }
    const isAsked = request.method === 'GET' || request.method === 'HEAD';
    if (host === 'own' || !isAsked) return next();
    response.redirect(303, addresses.origin + addresses.to(request.url));
  };
}
