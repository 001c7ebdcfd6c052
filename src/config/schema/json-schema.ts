import { z } from 'zod';
import { fileSchema } from './file-schema.ts';

export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  [member: string]: unknown;
}

/** The JSON Schema of the YAML, for editors (draft 7: what the YAML language server reads). */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  // Keys that begin so are there for anchors; they are never looked at.
  const patternProperties = { '^x-': { description: 'For anchors that other keys refer to; not read itself' } };
  return { ...(schema as JsonSchema), patternProperties, title: 'Gatehouse configuration' };
}
