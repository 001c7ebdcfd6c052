import type { ErrorRequestHandler, Request, Response } from 'express';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { isReadableElsewhere } from '../../ledger/versioned-seal.ts';
import { RETRY_LATER } from '../../oauth/oauth-error.ts';
import { allowScript } from './page-assets.ts';
import type { PageContext } from './page-context.ts';
import { PageProblem } from './page-problem.ts';
import { referenceOf, requestIdOf } from './reference.ts';
import { factsOf } from './request-facts.ts';

const MINUTE_MS = 60_000;

/** Every error at the people door becomes a page in our own words, with a reference that the log has too. */
export function pageError(context: PageContext): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    // A page that is half sent cannot become another one.
    if (response.headersSent) return next(error);
    const problem = problemOf(context, error, request, response);
    try {
      renderProblem(context, request, response, problem);
    } catch (failure) {
      // A template or text that does not work, perhaps the administrator's own: still no word of it to the visitor.
      const requestId = requestIdOf(response);
      context.deps.log.event('request.failed', { requestId, method: request.method, status: 500, error: failure });
      response.status(500).type('text').send(requestId);
    }
  };
}

function problemOf(context: PageContext, error: unknown, request: Request, response: Response): PageProblem {
  const { log, sourceOf } = context.deps;
  const logged = { requestId: requestIdOf(response), ...factsOf(response), route: routeOf(request) };
  if (error instanceof PageProblem) {
    const { kind: reason, status, detail } = error;
    if (error.cause === undefined) {
      log.event('page.refused', { ...logged, status, reason, detail, source: sourceOf(request) });
    }
    return error;
  }
  if (error instanceof StorageUnavailableError || isReadableElsewhere(error)) {
    log.event('request.failed', { ...logged, method: request.method, status: 503, error });
    return new PageProblem('storage_away', { headers: RETRY_LATER, ...againOf(context, request, response) });
  }
  const status = clientErrorStatus(error);
  if (status !== undefined) {
    const detail = error instanceof Error ? error.message : undefined;
    log.event('page.refused', { ...logged, status, reason: 'bad_request', detail, source: sourceOf(request) });
    return new PageProblem(status === 413 ? 'too_large' : 'bad_request', { status });
  }
  log.event('request.failed', { ...logged, method: request.method, status: 500, error });
  return new PageProblem('fault');
}

export function renderProblem(context: PageContext, request: Request, response: Response, problem: PageProblem): void {
  const { kind, again, headers, status } = problem;
  const home = context.addresses.to('/device');
  const frame = context.frame(request, response, again ?? home);
  const wait = waitOf(problem);
  const page = context.views.problem(frame, {
    kind,
    words: { ...problem.words, ...(wait && { count: wait.minutes, time: frame.language.time(wait.untilMs) }) },
    goesOnAt: wait && frame.language.clock(wait.untilMs),
    timesScript: wait && allowScript(context, response, context.timesScript),
    ...referenceOf(response, frame.language),
    next: { address: again ?? home, isAgain: again !== undefined },
    offersNext: wait === undefined,
  });
  response.status(status).set(headers).type('html').send(page);
}

/** In whole minutes, both: nobody is to come a moment too early. */
function waitOf({ retryAfterSeconds }: PageProblem): { minutes: number; untilMs: number } | undefined {
  if (retryAfterSeconds === undefined) return undefined;
  const minutes = Math.max(1, Math.ceil(retryAfterSeconds / 60));
  const untilMs = Math.ceil((Date.now() + retryAfterSeconds * 1000) / MINUTE_MS) * MINUTE_MS;
  return { minutes, untilMs };
}

/** The same address, unless a handler that has used up what it was sent named a better one. */
function againOf(context: PageContext, request: Request, { locals }: Response): { again?: string } {
  const named: unknown = locals['again'];
  if (typeof named === 'string') return { again: named };
  return request.method === 'GET' ? { again: context.addresses.to(request.url) } : {};
}

/** What Express and its body reader say of a request that they cannot read; 4xx only, the rest would be ours. */
function clientErrorStatus(error: unknown): number | undefined {
  if (error instanceof URIError) return 400;
  const status = (error as { status?: unknown } | null | undefined)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** The route as it is listed, without what the caller chose. */
export function routeOf(request: Request): string {
  const path: unknown = request.route?.path;
  return typeof path === 'string' ? path : 'none';
}
