import { endKnownSid } from '../grants/known-sids.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { Sealing } from '../sealing/sealing.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { DeviceReply, DeviceRequest, Endpoint } from './http/endpoint.ts';

export interface FrontchannelLogoutDeps {
  ledger: Ledger;
  sealing: Sealing;
  upstream: Pick<Upstream, 'id' | 'issuer' | 'frontChannelLogout'>;
  /** How long what was signed in until now may still live, in milliseconds. */
  longestRetentionMs: number;
  onLogout: (request: DeviceRequest, upstream: string) => void;
}

const MAX_SID_LENGTH = 512;

/**
 * OpenID Connect Front-Channel Logout §2: a frame in the page that signs somebody out at the upstream. Nothing in it shows
 * who sent it, so it ends only what was signed in with this `sid`, which one must know. The page says nothing, whatever
 * was done, and only the upstream may show it in a frame.
 */
export function createFrontchannelLogout(deps: FrontchannelLogoutDeps): Endpoint {
  const { upstream, longestRetentionMs } = deps;
  const page = emptyPage(upstream.issuer);
  return async (request) => {
    // A link scanner looks first, and must end nothing.
    if (request.method !== 'GET') {
      throw new OAuthError('invalid_request', 'use GET', { status: 405, headers: { Allow: 'GET' } });
    }
    const query = request.query();
    const [sid, ...moreSids] = query.getAll('sid');
    const issuers = query.getAll('iss');
    // §2 has both or none; some providers send the `sid` alone.
    const isIssuerLeftOut = issuers.length === 0 && upstream.frontChannelLogout === 'sid_only';
    if (!isIssuerLeftOut && (issuers.length !== 1 || issuers[0] !== upstream.issuer)) {
      throw refused('no iss, another one, or more than one');
    }
    if (sid === undefined || sid === '' || moreSids.length > 0) throw refused('no sid, or more than one');
    if (sid.length > MAX_SID_LENGTH) throw refused('the sid is too long');
    if (await endKnownSid(deps, { upstream: upstream.id, sid }, longestRetentionMs)) {
      deps.onLogout(request, upstream.id);
    }
    return page;
  };
}

function emptyPage(issuer: string): DeviceReply {
  const policy = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"];
  return {
    status: 200,
    headers: {
      'Content-Security-Policy': [...policy, `frame-ancestors ${new URL(issuer).origin}`].join('; '),
      'Referrer-Policy': 'no-referrer',
    },
    contentType: 'text/html; charset=utf-8',
    body: '<!doctype html><title>Gatehouse</title>',
  };
}

/** The sender learns that the request does not do, and not why. */
function refused(detail: string): OAuthError {
  return new OAuthError('invalid_request', 'this is no logout of this upstream', { detail });
}
