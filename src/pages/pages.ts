import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import { HEAD_WORDS, headFault, isTooLarge, MAX_HEAD_KIBIBYTES } from '../limits/head-fault.ts';
import { FORM_TYPE, isFormType } from '../oauth/form-type.ts';
import type { PagePath } from '../oauth/routes.ts';
import { showCodeForm } from './code/code-form.ts';
import { enterCode } from './code/enter-code.ts';
import { showConfirm } from './confirm/confirm.ts';
import { decide } from './confirm/decide.ts';
import { showDone, undo } from './confirm/done.ts';
import { endDevices, renameDevice } from './devices/change-sessions.ts';
import { showSessions } from './devices/devices.ts';
import { browserSessions } from './frame/browser-session.ts';
import { onlyNavigations } from './frame/navigation.ts';
import { onlyOwnHost } from './frame/own-host.ts';
import { createPageContext, type PageContext } from './frame/page-context.ts';
import type { PagesDeps } from './frame/page-deps.ts';
import { pageError } from './frame/page-error.ts';
import { PageProblem } from './frame/page-problem.ts';
import { SealedSessionStore } from './frame/sealed-session-store.ts';
import { switchLanguage } from './frame/switch-language.ts';
import { handleCallback } from './sign-in/callback.ts';
import { redirectPostedAnswer, takesPostedAnswer } from './sign-in/posted-answer.ts';
import { signIn } from './sign-in/sign-in.ts';

/** Bytes; a form of ours is a ticket, a token and a few words. */
const LARGEST_FORM = 8 * 1024;
const MAX_FIELDS = 64;
const HSTS_SECONDS = 365 * 24 * 60 * 60;

type Handler = (context: PageContext, request: Request, response: Response) => Promise<void> | void;
type Methods = Partial<Record<'GET' | 'POST', Handler>>;

/** Path → what it does by method. HEAD is GET without a body, but for the callback, where a link scanner must burn nothing. */
const ROUTES: Readonly<Record<PagePath, Methods>> = {
  '/device': { GET: showCodeForm, POST: enterCode },
  '/device/sign-in': { GET: signIn },
  '/callback/:upstream': { GET: handleCallback },
  '/device/confirm': { GET: showConfirm, POST: decide },
  '/device/done': { GET: showDone },
  '/device/undo': { POST: undo },
  '/sessions': { GET: showSessions },
  '/sessions/rename': { POST: renameDevice },
  '/sessions/end': { POST: endDevices },
  '/language': { POST: switchLanguage },
};
const CALLBACK = '/callback/:upstream';

/**
 * The people door: what a person visits to connect a device, as an Express app that listens nowhere by itself. Here are
 * forms, browser sessions, words and looks. What a decision means for a grant is in `grants/`; what machines call is in
 * `endpoints/`.
 */
export function createPages(deps: PagesDeps): Express {
  const context = createPageContext(deps);
  const { randomBytes, sealing } = deps.grants;
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple').enable('case sensitive routing');
  // `public_url` alone says whether this is https: express-session sends no Secure cookie on what it takes for http.
  Object.defineProperty(app.request, 'secure', { get: () => context.addresses.isSecure });

  app.use(securityHeaders(context.addresses.isSecure));
  for (const { path, handler } of [context.stylesheet, context.codeScript, context.timesScript]) app.get(path, handler);
  app.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.use(refuseBrokenHeads(context));
  app.use(onlyOwnHost(context));
  const store = new SealedSessionStore({
    inner: deps.browserSessions,
    sealing,
    onForgery: (error) => deps.log.event('storage.rejected', { detail: error.message }),
  });
  const form = [
    plainFormType,
    express.urlencoded({ extended: false, inflate: false, limit: LARGEST_FORM, parameterLimit: MAX_FIELDS }),
  ];
  const before = [...form, browserSessions({ store, sealing, randomBytes, addresses: context.addresses })];
  app.get('/', (_request, response) => response.redirect(303, context.addresses.to('/device')));
  // Another site's form comes without cookies, so there is no browser session to look for.
  const ifPosted: RequestHandler = (request, _response, next) =>
    next(takesPostedAnswer(context, request) ? undefined : 'route');
  app.post(CALLBACK, ifPosted, ...form, (request, response) => redirectPostedAnswer(context, request, response));
  for (const [path, methods] of Object.entries(ROUTES)) {
    app.all(path, onlyMethods(context, path, methods), onlyNavigations, ...before, dispatch(context, methods));
  }
  app.use(() => {
    throw new PageProblem('not_found');
  });
  app.use(pageError(context));
  return app;
}

/** Whatever charset a program names there, a form is UTF-8; the body reader would take it at its word. */
const plainFormType: RequestHandler = ({ headers }, _response, next) => {
  if (isFormType(headers['content-type'] ?? '')) headers['content-type'] = FORM_TYPE;
  next();
};

/** Other sites below the same domain fill a browser with cookies, and its owner would see a bare status for it. */
function refuseBrokenHeads({ deps }: PageContext): RequestHandler {
  const words = { host: deps.publicUrl.hostname };
  return (request, _response, next) => {
    const fault = headFault(request);
    if (fault === undefined) return next();
    if (!isTooLarge(fault)) throw new PageProblem('bad_request', { detail: HEAD_WORDS[fault] });
    const isCookies = (request.headers.cookie?.length ?? 0) > (MAX_HEAD_KIBIBYTES * 1024) / 2;
    throw new PageProblem(isCookies ? 'too_many_cookies' : 'too_large', {
      status: 431,
      words,
      detail: HEAD_WORDS[fault],
    });
  };
}

function onlyMethods(context: PageContext, path: string, methods: Methods): RequestHandler {
  const allowed = Object.keys(methods);
  if (methods.GET !== undefined && path !== CALLBACK) allowed.push('HEAD');
  return (request, _response, next) => {
    if (allowed.includes(request.method)) return next();
    const named = path === CALLBACK && takesPostedAnswer(context, request) ? [...allowed, 'POST'] : allowed;
    throw new PageProblem('method', { headers: { Allow: named.join(', ') } });
  };
}

function dispatch(context: PageContext, methods: Methods): RequestHandler {
  return async (request, response) => {
    const handler = request.method === 'POST' ? methods.POST : methods.GET;
    await handler?.(context, request, response);
  };
}

/**
 * Nothing is loaded from elsewhere. `form-action 'self'` holds for the whole redirect chain of a POST in Chromium, so
 * no form of ours leads off our origin. Under `no-referrer` Chromium sends `Origin: null` with our own forms.
 */
function securityHeaders(isSecure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: isSecure ? { maxAge: HSTS_SECONDS, includeSubDomains: false } : false,
  });
}
