import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import type { Config } from '../config/config.ts';
import type { DeviceRoute } from '../endpoints/http/node-adapter.ts';
import { isForPeople, notFoundEndpoint } from '../endpoints/http/not-found.ts';
import { createUnreadableRequest } from '../endpoints/http/unreadable-request.ts';
import { formUnlessJson } from '../endpoints/profiles/github-answers.ts';
import { type EndpointName, type PathProfile, pathProfiles } from '../endpoints/profiles/path-profiles.ts';
import { metadataPaths, standardAddresses } from '../oauth/metadata.ts';
import { type DevicePath, FRONT_LOGOUT_PATH, isPagePath, LOGOUT_PATH } from '../oauth/routes.ts';
import { createRequestIds } from '../telemetry/request-id.ts';
import {
  type ConfigContext,
  createConfigContext,
  createProcessContext,
  type ProcessContext,
  type ProcessContextOptions,
} from './context.ts';
import { createDeviceApp, type IssuerEndpoints } from './device-app.ts';
import { selfTest, selfTestSigning } from './self-test.ts';

/**
 * A broker as a value: both doors in one request handler. It starts nothing and listens nowhere.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import type { Broker } from 'gatehouse-broker';
 *
 * function listen(broker: Broker, port: number) {
 *   const server = createServer((request, response) => broker.handle(request, response));
 *   server.on('clientError', (error, socket) => broker.unreadable(error, socket));
 *   return server.listen(port, '127.0.0.1');
 * }
 * ```
 */
export interface Broker {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** For the `clientError` of a server: an answer of ours where Node would write a bare status. */
  unreadable(error: Error, socket: Duplex): void;
  /** Whether a request target is one of its own, for hosts that have other pages beside it. */
  serves(target: string): boolean;
  /** Puts another configuration in force; requests under way keep the one that they began with. */
  reload(config: Config): void;
  /** What still keeps it from being sent traffic, as words; empty when nothing does. */
  missing(): Promise<string[]>;
  /** Grants that were started within one code lifetime, decided or not. */
  countPending(): Promise<number>;
  /** Rejects where the signing keys that are made beside the start turn out not to sign here. */
  readonly tested: Promise<void>;
  /** For the end of the process, once nothing is handled any more: delivers audit events that wait, for 5 s at most. */
  close(): Promise<void>;
  readonly processContext: ProcessContext;
}

/**
 * @example
 * ```ts
 * import { type BrokerOptions, createBroker, loadConfig, memoryStorage } from 'gatehouse-broker';
 *
 * const options: BrokerOptions = { config: await loadConfig('gatehouse.yaml'), storage: memoryStorage() };
 * const broker = await createBroker(options);
 * ```
 */
export interface BrokerOptions extends ProcessContextOptions {
  config: Config;
}

/**
 * The broker, wired and tested: configuration and storage in, a request handler out.
 *
 * @throws {SelfTestError} where this Node does not do what a sign-in needs
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { createBroker, loadConfig, memoryStorage } from 'gatehouse-broker';
 *
 * const broker = await createBroker({ config: await loadConfig('gatehouse.yaml'), storage: memoryStorage() });
 * createServer(broker.handle).listen(8080, '127.0.0.1');
 * ```
 */
export async function createBroker({ config, ...options }: BrokerOptions): Promise<Broker> {
  const processContext = createProcessContext(config, options);
  const newRequestId = createRequestIds(processContext.randomBytes);
  let activeBuild = build(config, processContext, newRequestId);
  const { signingKeys } = activeBuild.configContext;
  const { sealing, randomBytes } = processContext;
  const { publicUrl } = config;
  await selfTest({ sealing, randomBytes, publicUrl, ...(signingKeys.isReady() && { signingKeys }) });
  const tested = signingKeys.isReady() ? Promise.resolve() : selfTestSigning(signingKeys);
  // Whoever runs a process wants to hear of it; a host that does not ask is not ended by it.
  tested.catch(() => {});

  return {
    processContext,
    tested,
    handle(request, response) {
      activeBuild.handle(request, response);
    },
    unreadable: createUnreadableRequest({
      newRequestId,
      isHttps: config.publicUrl.startsWith('https:'),
      logger: processContext.logger,
    }),
    serves: (target) => activeBuild.serves(target),
    reload(next) {
      activeBuild = build(next, processContext, newRequestId, activeBuild.configContext);
      processContext.logger.setTargets(next.audit);
    },
    countPending: () => activeBuild.countPending(),
    close: () => processContext.logger.flush(),
    async missing() {
      const reasons: string[] = [];
      if (!(await processContext.storage.isReady())) reasons.push('storage does not answer');
      if (!activeBuild.configContext.signingKeys.isReady()) reasons.push('signing keys are being made');
      return reasons;
    },
  };
}

/** The list of the device door's own routes, relative to `public_url`. Path profiles add theirs; the rest is people's. */
const ROUTES: Readonly<Record<DevicePath, EndpointName>> = {
  '/device_authorization': 'deviceAuthorization',
  '/token': 'token',
  '/revoke': 'revocation',
  '/introspect': 'introspection',
  '/userinfo': 'userinfo',
  '/jwks': 'jwks',
  '/.well-known/oauth-authorization-server': 'oauthMetadata',
  '/.well-known/openid-configuration': 'openidMetadata',
};

/** What each endpoint answers to; GET answers HEAD too. */
const METHODS: Readonly<Record<EndpointName, readonly ('GET' | 'POST')[]>> = {
  deviceAuthorization: ['POST'],
  token: ['POST'],
  revocation: ['POST'],
  introspection: ['POST'],
  userinfo: ['GET', 'POST'],
  jwks: ['GET'],
  oauthMetadata: ['GET'],
  openidMetadata: ['GET'],
  keycloakRealm: ['GET'],
  keycloakLogout: ['POST'],
};

function standardProfile(publicUrl: string): PathProfile {
  const { oauth, openid } = metadataPaths(publicUrl);
  // RFC 8414 §3.1 inserts the well-known part before the issuer's path, so that one hangs at the origin's root.
  const inserted: Record<string, EndpointName> = { [oauth]: 'oauthMetadata', [openid]: 'openidMetadata' };
  const issuer = { name: undefined, addresses: standardAddresses(publicUrl) };
  return { profile: 'standard', issuer, paths: { ...ROUTES, ...inserted }, pages: {} };
}

interface RouteTable {
  routes: ReadonlyMap<string, DeviceRoute>;
  /** Another server's path → page of ours. */
  pages: ReadonlyMap<string, string>;
}

function routeTable(
  profiles: readonly PathProfile[],
  endpointsOf: (profile: PathProfile) => IssuerEndpoints,
): RouteTable {
  const routes = new Map<string, DeviceRoute>();
  const pages = new Map<string, string>();
  for (const profile of profiles) {
    const endpoints = endpointsOf(profile);
    for (const [path, name] of Object.entries(profile.paths)) {
      const endpoint = endpoints[name];
      const methods = Object.fromEntries(METHODS[name].map((method) => [method, endpoint]));
      const shape = profile.profile === 'github' ? { shape: formUnlessJson } : {};
      routes.set(plainPath(path), { path, ...methods, ...shape });
    }
    for (const [path, page] of Object.entries(profile.pages)) pages.set(plainPath(path), page);
  }
  return { routes, pages };
}

interface ActiveBuild {
  configContext: ConfigContext;
  countPending: () => Promise<number>;
  serves: (target: string) => boolean;
  handle: (request: IncomingMessage, response: ServerResponse) => void;
}

function build(
  config: Config,
  processContext: ProcessContext,
  newRequestId: () => string,
  before?: ConfigContext,
): ActiveBuild {
  const configContext = createConfigContext(config, processContext, before);
  const devices = createDeviceApp(processContext, configContext, newRequestId);
  const standard = standardProfile(config.publicUrl);
  const profiles = [standard, ...pathProfiles(config.publicUrl, config.compatibility)];
  const { routes, pages } = routeTable(profiles, devices.endpointsOf);
  const base = plainPath(new URL(config.publicUrl).pathname).replace(/^\/$/, '');
  // Loaded at the first visit: a start, and a process that only serves devices, need not wait for templates.
  let people: Promise<Express> | undefined;

  const ownRouteAt = (path: string) => {
    if (path.startsWith(LOGOUT_PATH)) return devices.logoutRoute(path.slice(LOGOUT_PATH.length));
    if (path.startsWith(FRONT_LOGOUT_PATH)) return devices.frontLogoutRoute(path.slice(FRONT_LOGOUT_PATH.length));
    return routes.get(path);
  };
  const routeAt = (path: string) => routes.get(path) ?? ownRouteAt(withoutBase(path, base));
  const isPage = (path: string) => pages.has(path) || isPagePath(withoutBase(path, base));
  // `/` leads to the code page; a host that has Gatehouse beside its own pages keeps its own.
  const isForPages = (path: string, request: IncomingMessage) =>
    isPage(path) || isForPeople(request) || (request.method !== 'POST' && withoutBase(path, base) === '/');
  const nothingAt = (path: string) => notFoundEndpoint(path, standard.issuer.addresses);

  return {
    configContext,
    countPending: () => devices.countPending(),
    serves(target) {
      const path = plainPath(pathOf(originForm(target)));
      return routeAt(path) !== undefined || isPage(path);
    },
    handle(request, response) {
      const target = originForm(request.url ?? '/');
      const written = pathOf(target);
      const path = plainPath(written);
      request.url = path === written ? target : path + target.slice(written.length);
      const route = routeAt(path) ?? (isForPages(path, request) ? undefined : nothingAt(path));
      if (route !== undefined) {
        void devices.answer(request, response, route);
        return;
      }
      response.setHeader('X-Request-Id', newRequestId());
      request.url = pageTarget(request.url, pages, base);
      people ??= import('./pages-app.ts').then((door) =>
        door.createPagesApp(processContext, configContext, devices.sourceAddress),
      );
      people.then(
        (app) => app(request, response),
        (error: unknown) => {
          people = undefined;
          const requestId = response.getHeader('X-Request-Id');
          const logged = { requestId, method: request.method, route: 'pages', status: 500 };
          processContext.logger.event('request.failed', { ...logged, error });
          response.writeHead(500).end();
        },
      );
    },
  };
}

/** RFC 9112 §3.2.2: a request may name a whole address; whose it is said to be decides nothing here. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '');
  return rest === '' || rest.startsWith('?') ? `/${rest}` : rest;
}

/**
 * Double and trailing slashes lead nowhere else: clients append to an issuer that ends in a slash byte by byte, and to
 * addresses that people copy.
 */
function plainPath(path: string): string {
  if (!path.includes('//') && !path.endsWith('/')) return path;
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** Proxies may strip the path of `public_url` or pass it on, and profiles have paths of their own; pages know only ours. */
function pageTarget(target: string, pages: ReadonlyMap<string, string>, base: string): string {
  const path = pathOf(target);
  const page = pages.get(path);
  // authentik's clients call the parameter `code`.
  return page === undefined
    ? withoutBase(target, base)
    : page + target.slice(path.length).replace(/([?&])code=/, '$1user_code=');
}

function withoutBase(target: string, base: string): string {
  if (base === '' || !target.startsWith(base)) return target;
  const rest = target.slice(base.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest || '/' : target;
}
