import { setTimeout as wait } from 'node:timers/promises';

export interface FakeAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What a handler makes of a request; `hang` never answers, `close` drops the connection. */
export type FakeReply = FakeAnswer | 'hang' | 'close';

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

export function json(status: number, body: unknown, headers: Record<string, string> = {}): FakeAnswer {
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) };
}

export function page(html: string, status = 200): FakeAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: html };
}

export function redirect(location: string): FakeAnswer {
  return { status: 302, headers: { location }, body: '' };
}

export function refusal({ error, description, status = 400, challenge = false }: OAuthFault): FakeAnswer {
  const headers: Record<string, string> = challenge
    ? { 'www-authenticate': `Basic realm="fake", error="${error}"` }
    : {};
  return json(status, { error, ...(description !== undefined && { error_description: description }) }, headers);
}

/** Answers as asked, or goes wrong in one of the ways in which no protocol is left. */
export async function orTrouble(
  trouble: Trouble | undefined,
  context: { address: string; slowMs: number },
  answer: () => FakeReply | Promise<FakeReply>,
): Promise<FakeReply> {
  switch (trouble) {
    case undefined:
      return answer();
    case 'slow':
      await wait(context.slowMs);
      return answer();
    case 'hang':
    case 'close':
      return trouble;
    case 'status_500':
      return json(500, { error: 'server_error' });
    case 'status_503':
      return json(503, { error: 'temporarily_unavailable' });
    case 'status_429':
      return json(429, {});
    case 'status_404':
      return json(404, {});
    case 'garbage':
      return { ...json(200, {}), body: '{"token": <?php' };
    case 'json_array':
      return json(200, [1, 2, 3]);
    case 'html':
      return page('<h1>It works!</h1>');
    case 'redirect_for_ever':
      return redirect(context.address);
    case 'huge':
      return json(200, 'x'.repeat(3_000_000));
  }
}

/** How an endpoint can go wrong without answering in the protocol at all. */
export type Trouble =
  /** Takes the request and never answers. */
  | 'hang'
  /** Answers properly, after `slowMs`. */
  | 'slow'
  | 'status_500'
  | 'status_503'
  | 'status_429'
  | 'status_404'
  /** Text that claims to be JSON. */
  | 'garbage'
  /** A page, as a proxy in front shows it. */
  | 'html'
  | 'redirect_for_ever'
  /** More bytes than anybody wants to read. */
  | 'huge'
  /** JSON, but not an object. */
  | 'json_array'
  /** Closes the connection without a word. */
  | 'close';

export interface OAuthFault {
  error: string;
  description?: string;
  status?: number;
  /** Sends `WWW-Authenticate: Basic` too. */
  challenge?: boolean;
}
