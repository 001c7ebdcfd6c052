import type { Waiting } from './login-polling.ts';

export interface Person {
  name?: unknown;
  preferred_username?: unknown;
  email?: unknown;
  sub?: unknown;
}

/** Name and address where there are both, else the best that there is. */
export function personInWords(person: Person): string | undefined {
  const name = textOf(person.name) ?? textOf(person.preferred_username);
  const email = textOf(person.email);
  if (name !== undefined && email !== undefined && name !== email) return `${name} (${email})`;
  return name ?? email ?? textOf(person.sub);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function waitingInWords(waiting: Waiting, expiresAtMs: number): string {
  switch (waiting.for) {
    case 'person':
      return `Waiting for you to finish in the browser. The code is good until ${timeOfDay(expiresAtMs)}.`;
    case 'slower polls':
      return `The server asked to slow down. Still waiting for you, asking every ${waiting.seconds} s.`;
    case 'server':
      return `${sentence(waiting.reason)} Trying again in ${waiting.seconds} s.`;
  }
}

export function timeOfDay(milliseconds: number): string {
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) return 'it is used';
  return `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
}

/** By the server's error code, which may be any word. */
const advice: ReadonlyMap<string, string> = new Map(
  Object.entries({
    invalid_client:
      'The server does not know this client, or wants its secret: see --client-id, --client-secret-env and --client-secret-file.',
    unauthorized_client:
      'At this server the client may not use the device flow (its administrator can allow it), or its secret is missing or wrong.',
    invalid_scope: 'The client may not ask for these scopes: see --scope.',
    invalid_target: 'The client may not ask for this resource: see --resource.',
    invalid_grant: 'The server does not know this code any more. Run the command again for a new one.',
  }),
);

/** An error code of OAuth, with what the server says about it and what can be done. */
export function refusalInWords(code: string, description: string | undefined): string {
  const said = description === undefined ? code : `${code}: ${description}`;
  const next = advice.get(code);
  return `The server refused (${said}).${next === undefined ? '' : ` ${next}`}`;
}

export function failureInWords(error: unknown): string {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 5; cause = cause.cause) chain.push(cause);
  const ours = chain.find((cause) => /^(Unreachable|UnsafeAddress|UnexpectedAnswer)Error$/.test(cause.name));
  if (ours !== undefined) return sentence(ours.message);
  const refusal: Error & { error?: unknown; error_description?: unknown } = chain[0] ?? new Error();
  if (typeof refusal.error === 'string') return refusalInWords(refusal.error, textOf(refusal.error_description));
  return sentence([...new Set(chain.map((cause) => cause.message))].join(': ') || String(error));
}

function sentence(text: string): string {
  // An address keeps its small letters: it may be copied.
  const begun = /^https?:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
