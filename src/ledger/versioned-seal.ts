import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { SealingKeyMissingError } from '../sealing/sealing-keys.ts';
import type { Secret } from '../sealing/secret.ts';
import { UnreadableFormatError } from './grant.ts';

/** What a sealed value is, and in which form this release writes it. */
export interface Form {
  kind: string;
  format: number;
}

/**
 * Seals a value with the number of its format before it, so that a release which does not know the form of another says
 * so, and does not take it for something else.
 */
export function sealVersioned(
  sealing: Sealing,
  { format }: Form,
  content: unknown,
  context: string,
  capability?: Secret,
): Promise<string> {
  return sealing.seal([format, content], context, capability);
}

/**
 * @throws {SealBrokenError} when no broker wrote it for this context and capability
 * @throws {UnreadableFormatError} when another release wrote it in a form that this one does not know
 */
export async function openVersioned<T>(
  sealing: Sealing,
  { kind, format }: Form,
  sealed: string,
  context: string,
  capability?: Secret,
): Promise<T> {
  const opened = await sealing.open(sealed, context, capability);
  const [found, content] = Array.isArray(opened) ? (opened as [unknown, T]) : [];
  if (found !== format) {
    throw new UnreadableFormatError(`${kind} of format ${String(found)}, this release reads ${format}`);
  }
  return content as T;
}

/** Another replica has the key or the release that it takes; this one gets it with its next configuration or roll-out. */
export function isReadableElsewhere(error: unknown): error is SealingKeyMissingError | UnreadableFormatError {
  return error instanceof SealingKeyMissingError || error instanceof UnreadableFormatError;
}

/** That, or no broker wrote it at all. */
export function isUnreadable(error: unknown): error is Error {
  return error instanceof SealBrokenError || isReadableElsewhere(error);
}
