import type { AdminRoute, Schema } from './admin-route.ts';
import { reference, SCHEMAS } from './schemas.ts';

const REFUSALS = {
  400: 'Something in the request is not as it must be; `error_description` says what',
  401: 'No token, or one that is not good here',
  403: 'Whoever has the token is in none of the groups',
  429: 'Too many wrong tokens from this address; `Retry-After` says how long to wait',
  503: 'The storage, or the upstream that the token is of, does not answer; nothing was lost, come again',
} as const;

/** The table of routes as OpenAPI 3.1. */
export function openApiDocument(routes: readonly AdminRoute[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    Object.assign(paths[route.path] as object, { [route.method.toLowerCase()]: operationOf(route) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse admin API',
      version,
      summary: 'Device sessions, grants and kill marks, for help desks without access to the storage.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        operator: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token of `operations.admin`, or an access or ID token of the upstream that it names',
        },
      },
    },
    security: [{ operator: [] }],
  };
}

function operationOf({ operationId, summary, parameters, body, answer, path }: AdminRoute): Record<string, unknown> {
  const isAboutOne = path.includes('{');
  const refusals = Object.entries({
    ...REFUSALS,
    ...(isAboutOne && { 404: 'There is none of this id, or not any more' }),
  });
  return {
    operationId,
    summary,
    parameters: Object.entries(parameters).map(([name, parameter]) => ({
      name,
      ...parameter,
      required: parameter.in === 'path',
    })),
    ...(body !== undefined && { requestBody: { required: true, content: json(body) } }),
    responses: {
      200: { description: 'Done', content: json(answer) },
      ...Object.fromEntries(
        refusals.map(([status, description]) => [status, { description, content: json(reference('Error')) }]),
      ),
    },
  };
}

function json(schema: Schema): Record<string, unknown> {
  return { 'application/json': { schema } };
}
