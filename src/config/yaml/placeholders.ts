import type { SchemaProblem } from '../schema/schema-problems.ts';
import type { Path } from './yaml-source.ts';

/**
 * What a template engine, a shell or a reader of somebody's instructions would have filled in. Nothing is expanded here:
 * such a text would go to the provider as it stands, which answers with an error that names no cause.
 */
const PLACEHOLDERS: readonly RegExp[] = [
  // ${NAME} of shells and Compose, $(NAME) of Kubernetes, #{name} of release tools, {{ name }} of Helm, <% name %>
  /[$#]\{[^{}]*\}/,
  /\$\([A-Za-z_][^()]*\)/,
  /\{\{.*?\}\}/,
  /<%.*?%>/,
  // {tenantid} of Microsoft's documents, %NAME_OF% of Windows
  /\{[A-Za-z_][A-Za-z0-9_ .-]*\}/,
  /%[A-Z][A-Z0-9]*_[A-Z0-9_]*%/,
];

/** <tenant-id> of everybody's instructions; in a sentence for people it may mean something. */
const IN_ONE_WORD = /<[A-Za-z][A-Za-z0-9_-]*>/;

/** What all of them have: most texts need no closer look. */
const ANY = /[{<(%]/;

/** Some directories write an identifier in braces. */
const GUID = /^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/i;

/** A form that we fill in ourselves, and a key that has its own words for braces. */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set([
  'user_codes.verification_uri_complete',
  'storage.redis.key_prefix',
]);

/** Everything in the file that looks like a placeholder: names of entries too. */
export function findPlaceholders(value: unknown, path: Path = []): SchemaProblem[] {
  if (typeof value === 'string') return JUDGED_ELSEWHERE.has(path.join('.')) ? [] : problemsOf(value, path, false);
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => findPlaceholders(item, [...path, index]));
  return Object.entries(value).flatMap(([key, inner]) => [
    ...problemsOf(key, [...path, key], true),
    ...findPlaceholders(inner, [...path, key]),
  ]);
}

function problemsOf(text: string, path: Path, isUnknownKey: boolean): SchemaProblem[] {
  // An image in the file itself may have any character.
  if (!ANY.test(text) || text.startsWith('data:') || GUID.test(text)) return [];
  const forms = /\s/.test(text) ? PLACEHOLDERS : [...PLACEHOLDERS, IN_ONE_WORD];
  const placeholder = forms.map((form) => form.exec(text)?.[0]).find((found) => found !== undefined);
  if (placeholder === undefined) return [];
  const shown = JSON.stringify(placeholder.length > 60 ? `${placeholder.slice(0, 56)}…` : placeholder);
  const words = `found ${shown}, which nothing here fills in, expected the value itself (secrets: { env: NAME } or { file: PATH })`;
  return [{ path, text: words, isUnknownKey }];
}
