import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';
import type { Config } from './config/config.ts';
import { buildDeviceDoor, type IssuerEndpoints } from './device-door.ts';
import type { DeviceRoute } from './endpoints/node-door.ts';
import { buildHouse, type Foundation, type FoundationOptions, type House, layFoundation } from './house.ts';
import { metadataPaths, standardAddresses } from './oauth/metadata.ts';
import { isPagePath } from './pages/page-addresses.ts';
import { createRequestIds } from './telemetry/request-id.ts';

/** A broker as a value: both doors in one request handler. It starts nothing and listens nowhere. */
export interface Broker {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request target is one of its own, for hosts that have other pages beside it. */
  serves(target: string): boolean;
  /** Puts another configuration in force; requests under way keep the one that they began with. */
  reload(config: Config): void;
  /** What still keeps it from being sent traffic, as words; empty when nothing does. */
  missing(): Promise<string[]>;
  readonly foundation: Foundation;
}

export interface BrokerOptions extends FoundationOptions {
  config: Config;
}

/**
 * The broker, wired: configuration and storage in, a request handler out.
 *
 * @example
 *     const broker = await createBroker({ config: await loadConfig(file), storage: memoryStorage() });
 *     createServer(broker.handle).listen(8080);
 */
export async function createBroker({ config, ...options }: BrokerOptions): Promise<Broker> {
  const foundation = layFoundation(config, options);
  const newRequestId = createRequestIds(foundation.randomBytes);
  let standing = build(config, foundation, newRequestId);

  return {
    foundation,
    handle(request, response) {
      standing.handle(request, response);
    },
    serves: (target) => standing.serves(target),
    reload(next) {
      standing = build(next, foundation, newRequestId, standing.house);
    },
    async missing() {
      const reasons: string[] = [];
      if (!(await foundation.storage.isReady())) reasons.push('storage does not answer');
      if (!standing.house.signingKeys.isReady()) reasons.push('signing keys are being made');
      return reasons;
    },
  };
}

/** The list of all routes of the device door, relative to `public_url`. Everything else is the people's. */
function deviceRoutes(endpoints: IssuerEndpoints, publicUrl: string): ReadonlyMap<string, DeviceRoute> {
  const wellKnown = metadataPaths(publicUrl);
  const routes: DeviceRoute[] = [
    { path: '/device_authorization', POST: endpoints.deviceAuthorization },
    { path: '/token', POST: endpoints.token },
    { path: '/jwks', GET: endpoints.jwks },
    { path: '/.well-known/oauth-authorization-server', GET: endpoints.oauthMetadata },
    { path: '/.well-known/openid-configuration', GET: endpoints.openidMetadata },
    // RFC 8414 §3.1 inserts the well-known part before the issuer's path, so these two hang at the origin's root.
    { path: wellKnown.oauth, GET: endpoints.oauthMetadata },
    {
      path: `/.well-known/openid-configuration${new URL(publicUrl).pathname.replace(/\/$/, '')}`,
      GET: endpoints.openidMetadata,
    },
  ];
  return new Map(routes.map((route) => [route.path, route]));
}

interface Standing {
  house: House;
  serves: (target: string) => boolean;
  handle: (request: IncomingMessage, response: ServerResponse) => void;
}

function build(config: Config, foundation: Foundation, newRequestId: () => string, before?: House): Standing {
  const house = buildHouse(config, foundation, before);
  const devices = buildDeviceDoor(foundation, house, newRequestId);
  const issuer = { name: undefined, addresses: standardAddresses(config.publicUrl) };
  const routes = deviceRoutes(devices.endpointsOf(issuer), config.publicUrl);
  const base = new URL(config.publicUrl).pathname.replace(/\/$/, '');
  // Loaded at the first visit: a start, and a process that only serves devices, need not wait for templates.
  let people: Promise<Express> | undefined;

  const routeAt = (path: string) => routes.get(path) ?? routes.get(withoutBase(path, base));

  return {
    house,
    serves: (target) => routeAt(pathOf(target)) !== undefined || isPagePath(withoutBase(pathOf(target), base)),
    handle(request, response) {
      const route = routeAt(pathOf(request.url ?? '/'));
      if (route !== undefined) {
        void devices.answer(request, response, route);
        return;
      }
      response.setHeader('X-Request-Id', newRequestId());
      // Proxies may strip the path of `public_url` or pass it on; pages know paths without it.
      request.url = withoutBase(request.url ?? '/', base);
      people ??= import('./people-door.ts').then((door) =>
        door.buildPeopleDoor(foundation, house, devices.sourceAddress),
      );
      people.then(
        (app) => app(request, response),
        (error: unknown) => {
          people = undefined;
          foundation.logger.event('request.failed', { method: request.method, route: 'pages', status: 500, error });
          response.writeHead(500).end();
        },
      );
    },
  };
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

function withoutBase(target: string, base: string): string {
  if (base === '' || !target.startsWith(base)) return target;
  const rest = target.slice(base.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest || '/' : target;
}
