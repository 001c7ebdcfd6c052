import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import type { Config } from '../config/config.ts';
import { createSessionCount, type SessionCount } from '../device-sessions/count-sessions.ts';
import { isForPeople, notFoundEndpoint } from '../endpoints/http/not-found.ts';
import { createUnreadableRequest } from '../endpoints/http/unreadable-request.ts';
import { pathProfiles } from '../endpoints/profiles/path-profiles.ts';
import { FRONT_LOGOUT_PATH, isPagePath, LOGOUT_PATH } from '../oauth/routes.ts';
import { createRequestIds } from '../telemetry/request-id.ts';
import {
  type ConfigContext,
  createConfigContext,
  createProcessContext,
  type ProcessContext,
  type ProcessContextOptions,
} from './context.ts';
import { createDeviceApp } from './device-app.ts';
import { createAnnouncedEndsLog } from './log-announced-ends.ts';
import { createOperationsApp, type ProcessFacts } from './operations-app.ts';
import { originForm, pageTarget, pathOf, plainPath, routeTable, standardProfile, withoutBase } from './routes.ts';
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
  /** The device sessions that go on, as of the last whole count. Each call looks at some more of them, behind its answer. */
  countSessions(): SessionCount | undefined;
  /** Logs what administrators' commands have ended since the last call; for the process to call every few seconds. */
  logAnnouncedEnds(): Promise<void>;
  /** What the operations listener answers besides health and metrics; never for a public one. */
  operations(facts: ProcessFacts): ReturnType<typeof createOperationsApp>;
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
  // The owner of a process wants to hear of it; a host that does not ask is not ended by it.
  tested.catch(() => {});

  const { ledger } = processContext.storage;
  const countSessions = createSessionCount(
    () => ({ ledger, sealing, clients: activeBuild.configContext.clients }),
    processContext.clock,
  );

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
    logAnnouncedEnds: createAnnouncedEndsLog(processContext, (id) => activeBuild.configContext.clients.has(id)),
    countSessions,
    operations: (facts) =>
      createOperationsApp(processContext, () => activeBuild, { countSessions, ...facts }, newRequestId),
    close: () => processContext.logger.flush(),
    async missing() {
      const reasons: string[] = [];
      if (!(await processContext.storage.isReady())) reasons.push('storage does not answer');
      if (!activeBuild.configContext.signingKeys.isReady()) reasons.push('signing keys are being made');
      return reasons;
    },
  };
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
