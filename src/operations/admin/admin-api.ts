import type { IncomingMessage, ServerResponse } from 'node:http';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { isReadableElsewhere } from '../../ledger/versioned-seal.ts';
import { OAuthError, RETRY_LATER } from '../../oauth/oauth-error.ts';
import type { LogFieldsOf } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AdminRoute } from './admin-route.ts';
import type { Operator } from './authenticate-operator.ts';
import { bodyOf, type FoundRoute, findRoute, parametersOf, refuseTokenInQuery } from './read-call.ts';

export interface AdminApiDeps {
  routes: readonly AdminRoute[];
  /** The OpenAPI document; told without a token, since every release has it. */
  document: Record<string, unknown>;
  authenticate: (headers: IncomingMessage['headers'], source: string) => Promise<Operator>;
  sourceOf: (message: IncomingMessage) => string;
  newRequestId: () => string;
  logger: Pick<Logger, 'event'>;
}

const DOCUMENT_PATH = '/admin/openapi.json';

interface Reply {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}

/**
 * The admin API: JSON in and out, for programs with a bearer token. There is no cookie, so another site's page can cause
 * nothing here, and no CORS, so it can read nothing. Each call is a line of the audit, with who.
 */
export function createAdminApi(deps: AdminApiDeps) {
  return async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = deps.newRequestId();
    const reply = await answer(deps, message, requestId);
    const text = JSON.stringify(reply.body);
    if (response.destroyed) return;
    response.writeHead(reply.status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      ...reply.headers,
    });
    response.end(message.method === 'HEAD' ? undefined : text);
  };
}

async function answer(deps: AdminApiDeps, message: IncomingMessage, requestId: string): Promise<Reply> {
  const { logger, sourceOf, authenticate } = deps;
  const source = sourceOf(message);
  const found = findRoute(deps.routes, message);
  const logged = { requestId, source, method: message.method, route: found.path };
  let operator: Operator | undefined;
  const noted: LogFieldsOf<'admin.called'> = {};
  try {
    if (found.path === DOCUMENT_PATH && message.method === 'GET') return { status: 200, body: deps.document };
    refuseTokenInQuery(message);
    operator = await authenticate(message.headers, source);
    const body = await called(found, message, { operator: operator.name, requestId, note });
    logger.event('admin.called', { ...logged, ...noted, operator: operator.name, status: 200 });
    return { status: 200, body };
  } catch (thrown) {
    const error = asRefusal(thrown);
    const { status, code, description, headers } = error;
    const detail = error.detail ?? description;
    if (status >= 500) logger.event('request.failed', { ...logged, status, error: error.cause ?? error });
    const outcome = { ...logged, ...noted, operator: operator?.name, status, detail };
    if (operator !== undefined) logger.event('admin.called', outcome);
    // Our own trouble refuses nobody: it is told above.
    else if (status < 500) logger.event('admin.refused', outcome);
    return { status, headers, body: { error: code, error_description: description } };
  } finally {
    // What was not read is let run off, so that the connection stays usable.
    message.resume();
  }

  function note(fields: LogFieldsOf<'admin.called'>): void {
    Object.assign(noted, fields);
  }
}

async function called(
  found: FoundRoute,
  message: IncomingMessage,
  call: Pick<Parameters<AdminRoute['handle']>[0], 'operator' | 'requestId' | 'note'>,
): Promise<object> {
  const { route, allowed } = found;
  if (allowed.length === 0) throw new OAuthError('invalid_request', 'there is nothing at this path', { status: 404 });
  if (route === undefined) {
    const Allow = allowed.join(', ');
    throw new OAuthError('invalid_request', `use ${Allow}`, { status: 405, headers: { Allow } });
  }
  const parameters = parametersOf(route, message, found.inPath);
  const chosen = [...parameters].map(([name, value]) => `${name}=${value}`).join(' ');
  if (chosen !== '') call.note({ detail: chosen });
  return route.handle({ ...call, parameters, body: await bodyOf(route, message) });
}

/** Our own trouble is never the caller's fault, and says nothing of what it was. */
function asRefusal(thrown: unknown): OAuthError {
  if (thrown instanceof OAuthError) return thrown;
  if (thrown instanceof StorageUnavailableError) {
    const words = 'the storage does not answer; nothing was lost, come again';
    return new OAuthError('temporarily_unavailable', words, { headers: RETRY_LATER, cause: thrown });
  }
  if (isReadableElsewhere(thrown)) {
    const words = 'this replica cannot read it, another one may; come again';
    return new OAuthError('temporarily_unavailable', words, { headers: RETRY_LATER, cause: thrown });
  }
  return new OAuthError('server_error', 'something went wrong here; the reference is in X-Request-Id', {
    cause: thrown,
  });
}
