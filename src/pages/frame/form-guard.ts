import type { Request, Response } from 'express';
import { browserTag } from '../../grants/decide/trip.ts';
import { equalTexts, SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { SealingKeyMissingError } from '../../sealing/sealing-keys.ts';
import { type RandomBytes, Secret } from '../../sealing/secret.ts';
import { cookieOf, type PageAddresses } from './page-addresses.ts';
import { PageProblem } from './page-problem.ts';

/**
 * What keeps other sites from sending our forms: the origin, and a token in each. A user code is no such token, since
 * whoever started the grant knows it.
 */
export interface FormGuard {
  /** @throws {PageProblem} unless the request came from a page of ours */
  requireOwnOrigin(request: Request): void;
  /** Whether the browser brought the cookie that forms are bound to. */
  knows(request: Request): boolean;
  /** The random cookie that forms are bound to before there is a browser session; set where it is missing. */
  visitor(request: Request, response: Response): string;
  /**
   * Fingerprint of the browser by that cookie. Before a right code there is no browser value, so a second click on the
   * form would otherwise look like a second browser.
   */
  visitorTag(request: Request): string;
  /** @throws {PageProblem} where the browser did not bring it back */
  requireVisitor(request: Request): string;
  /** A token for a form that the visitor was shown; `memory` comes back with it, unchanged. */
  visitorToken(visitor: string, action: string, memory?: string): string;
  /** The memory, or `undefined` where it is no token of this visitor's. */
  readVisitorToken(visitor: string, action: string, token: string): string | undefined;
  /** The memory. @throws {PageProblem} */
  requireVisitorToken(visitor: string, action: string, token: string | undefined): string;
  /** A token for a form about facts that the server knows again when it comes back. */
  token(action: string, facts: readonly string[]): string;
  isToken(action: string, facts: readonly string[], token: string | undefined): boolean;
}

/** Every other field that a form needs. */
export type HiddenFields = Readonly<Record<string, string>>;

const VISITOR_BYTES = 16;
const VISITOR_FORM = /^[\w-]{22}$/;

export function createFormGuard(sealing: Sealing, randomBytes: RandomBytes, addresses: PageAddresses): FormGuard {
  const cookie = addresses.cookieName('form');
  /** The cookie that an answer sets: all forms of one page are bound to the same, since the browser keeps just one. */
  const made = new WeakMap<Response, string>();

  function known(request: Request): string | undefined {
    const value = cookieOf(request, cookie);
    return value !== undefined && VISITOR_FORM.test(value) ? value : undefined;
  }

  function readVisitorToken(visitor: string, action: string, token: string): string | undefined {
    try {
      return sealing.check(`form ${action} ${visitor}`, token);
    } catch (error) {
      if (error instanceof SealBrokenError || error instanceof SealingKeyMissingError) return undefined;
      throw error;
    }
  }

  return {
    requireOwnOrigin(request) {
      const { origin, 'sec-fetch-site': site } = request.headers;
      // `null` is what sandboxed frames and data: documents send; it is nobody's origin.
      const isOwn = origin === undefined ? site === 'same-origin' : origin === addresses.origin;
      if (!isOwn) throw new PageProblem('form_refused', { detail: `origin ${origin}, Sec-Fetch-Site ${site}` });
    },

    knows: (request) => known(request) !== undefined,

    visitor(request, response) {
      const already = known(request) ?? made.get(response);
      if (already !== undefined) return already;
      const value = randomBytes(VISITOR_BYTES).toString('base64url');
      response.cookie(cookie, value, addresses.cookieFlags);
      made.set(response, value);
      return value;
    },

    visitorTag: (request) => browserTag(new Secret(known(request) ?? '')),

    requireVisitor(request) {
      const brought = known(request);
      if (brought === undefined) throw new PageProblem('cookies_missing', { detail: 'no form cookie' });
      return brought;
    },

    visitorToken: (visitor, action, memory = '') => sealing.vouch(`form ${action} ${visitor}`, memory),

    readVisitorToken,

    requireVisitorToken(visitor, action, token = '') {
      const memory = readVisitorToken(visitor, action, token);
      if (memory === undefined) throw new PageProblem('form_refused', { detail: `token of ${action}` });
      return memory;
    },

    token: (action, facts) => sealing.tag('form', JSON.stringify([action, ...facts])),

    isToken(action, facts, token = '') {
      const expected = sealing.tags('form', JSON.stringify([action, ...facts]));
      return expected.some((one) => equalTexts(one, token));
    },
  };
}
