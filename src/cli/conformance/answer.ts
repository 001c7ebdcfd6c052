import { type JsonObject, parseJsonObject } from '../../oauth/json-object.ts';
import { readText } from '../login/safe-fetch.ts';

/** What a server answered, as it came. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The members of a JSON object; `undefined` where the body is none, whatever its type says. */
  json: Readonly<JsonObject> | undefined;
  /** Its type says that it is JSON. */
  isJsonType: boolean;
  /** What was asked, for a report: `POST /token`. */
  asked: string;
}

const MAX_BYTES = 256 * 1024;

/** @throws {Error} where it is longer than any answer of the protocol */
export async function readAnswer(response: Response, asked: string): Promise<Answer> {
  const tooLong = () => new Error(`${asked} is answered with more than ${MAX_BYTES} bytes`);
  const text = await readText(response, MAX_BYTES, tooLong);
  const { status, headers } = response;
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return { status, headers, text, json: parseJsonObject(text), isJsonType: type === 'application/json', asked };
}

/** RFC 6749 §5.2; `undefined` for a success, and for what says nothing. */
export function errorOf({ json }: Answer): string | undefined {
  const error = json?.['error'];
  return typeof error === 'string' ? error : undefined;
}

/** Tokens came. */
export function hasTokens({ status, json }: Answer): boolean {
  return status === 200 && typeof json?.['access_token'] === 'string';
}

/** For a detail: `400 invalid_grant`. */
export function told(answer: Answer): string {
  const { status, json } = answer;
  if (hasTokens(answer)) return `${status} with tokens`;
  return `${status} ${errorOf(answer) ?? (json === undefined ? 'without JSON' : 'without an error')}`;
}
