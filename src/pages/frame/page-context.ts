/**
 * Around every page: addresses, cookies, forms, languages, looks and errors. No page of its own is here, and no rule of a
 * grant.
 */

import type { Request, Response } from 'express';
import { createFollowedLinks, type FollowedLinks } from '../code/followed-links.ts';
import { createFormGuard, type FormGuard } from './form-guard.ts';
import { createLanguages, type Language, type Languages } from './languages.ts';
import { cookieOf, type PageAddresses, pageAddresses } from './page-addresses.ts';
import { type Asset, createCodeScript, createStylesheet, createTimesScript } from './page-assets.ts';
import type { PagesDeps } from './page-deps.ts';
import { createTemplates } from './templates.ts';
import { themeColours } from './theme.ts';
import { createViews, type Frame, type Views } from './views.ts';

/** Several times what browsers send of people who speak many. */
const MAX_ACCEPT_LANGUAGE = 512;

/** What the page handlers share: the ground, and what is made from it once. */
export interface PageContext {
  deps: PagesDeps;
  addresses: PageAddresses;
  forms: FormGuard;
  links: FollowedLinks;
  languages: Languages;
  stylesheet: Asset;
  codeScript: Asset;
  timesScript: Asset;
  views: Views;
  languageOf(request: Request): Language;
  /** @param back where the language switch leads back to, instead of to this address */
  frame(request: Request, response: Response, back?: string): Frame;
}

export function createPageContext(deps: PagesDeps): PageContext {
  const { settings, grants, publicUrl } = deps;
  const addresses = pageAddresses(publicUrl);
  const forms = createFormGuard(grants.sealing, grants.randomBytes, addresses);
  const links = createFollowedLinks(deps, addresses);
  const languages = createLanguages(settings.languages, settings.views);
  const stylesheet = createStylesheet(settings);
  const codeScript = createCodeScript(settings);
  const timesScript = createTimesScript(settings);
  const views = createViews(createTemplates(settings.views));
  const languageCookie = addresses.cookieName('language');

  function languageOf(request: Request): Language {
    const chosen = cookieOf(request, languageCookie);
    if (chosen !== undefined && languages.speaks(chosen)) return languages.in(chosen);
    readNoMoreLanguages(request);
    const accepted = request.acceptsLanguages([...languages.offered]);
    return languages.in(accepted === false ? (languages.offered[0] ?? 'en') : accepted);
  }

  /** A form without our cookie: a new one in the answer would take the place of that which the person's own pages have. */
  const isForeign = (request: Request) => request.method === 'POST' && !forms.knows(request);

  function frame(request: Request, response: Response, back?: string): Frame {
    links.remember(request, response);
    const choices = languages.offered.map((code) => languages.in(code));
    return {
      language: languageOf(request),
      stylesheet: addresses.to(stylesheet.path),
      product: settings.title,
      logo: settings.logo,
      logoDark: settings.logoDark,
      support: settings.support,
      supportLinks: settings.supportLinks ?? [],
      themeColours: themeColours(settings.theme),
      footer: settings.footer,
      home: addresses.to('/device'),
      languageSwitch:
        choices.length < 2 || isForeign(request)
          ? undefined
          : {
              action: addresses.to('/language'),
              fields: {
                back: back ?? (request.method === 'GET' ? addresses.to(request.url) : addresses.to('/device')),
                token: forms.visitorToken(forms.visitor(request, response), 'language'),
              },
              choices: choices.map((choice) => ({
                code: choice.code,
                name: choice.ownName(),
                direction: choice.direction,
              })),
            },
    };
  }

  return { deps, addresses, forms, links, languages, stylesheet, codeScript, timesScript, views, languageOf, frame };
}

/** Whole names only. Each costs a comparison with every language that is offered, and a stranger sends thousands. */
function readNoMoreLanguages({ headers }: Request): void {
  const named = headers['accept-language'];
  if (named === undefined || named.length <= MAX_ACCEPT_LANGUAGE) return;
  headers['accept-language'] = named.slice(0, Math.max(0, named.lastIndexOf(',', MAX_ACCEPT_LANGUAGE)));
}

/** A field of a form or query: `undefined` where it is missing, empty or there twice. */
export function fieldOf(fields: unknown, name: string): string | undefined {
  if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, name)) return undefined;
  const value = (fields as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
