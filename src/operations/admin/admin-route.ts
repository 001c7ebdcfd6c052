import type { LogFieldsOf } from '../../telemetry/log-events.ts';

/** JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  in: 'path' | 'query';
  description: string;
  schema: Schema;
}

/** One thing that the admin API does. The table of these is also the OpenAPI document, so that the two cannot differ. */
export interface AdminRoute {
  method: 'GET' | 'POST';
  /** With `{name}` for a part that the caller chooses. */
  path: string;
  operationId: string;
  summary: string;
  parameters: Readonly<Record<string, Parameter>>;
  /** Of the JSON body, for those that take one. */
  body?: Schema;
  answer: Schema;
  /** @throws {OAuthError} */
  handle(call: AdminCall): Promise<object>;
}

export interface AdminCall {
  operator: string;
  requestId: string;
  /** Named by `parameters`, from the path and the query, each once and not empty. */
  parameters: ReadonlyMap<string, string>;
  body: Readonly<Record<string, unknown>>;
  /** What the line of the audit names besides. */
  note(fields: LogFieldsOf<'admin.called'>): void;
}
