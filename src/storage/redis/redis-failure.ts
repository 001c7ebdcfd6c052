import { StorageUnavailableError } from '../../ledger/ledger.ts';

/** A wrong password, user name or the lack of one: no waiting mends that. */
export function isAccessRefused(error: Error): boolean {
  const last = 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
  return /\b(WRONGPASS|NOAUTH|invalid password|invalid username-password)\b/.test(last.message);
}

/** The database of the URL is not there, or not this user's: everything would land in database 0 instead. */
export function isDatabaseRefused(error: Error): boolean {
  return (error as Error & { command?: { name?: unknown } }).command?.name === 'select';
}

/** Said by a Redis that is a replica now, alone or from within a script. */
export function isReadOnly(error: Error): boolean {
  return /\bREADONLY\b/.test(error.message);
}

/** Said by a Redis that has been restarted, or has never seen the script. */
export function isScriptUnknown(error: Error): boolean {
  return error.message.startsWith('NOSCRIPT');
}

/**
 * What a command's failure becomes. ioredis hangs the command and its arguments on its errors, and those of AUTH are
 * the password; so the cause is a copy that has the words only.
 */
export function unavailable(error: unknown): StorageUnavailableError {
  if (error instanceof StorageUnavailableError) {
    return error;
  }
  return new StorageUnavailableError('Redis could not do it', { cause: wordsOf(error) });
}

export function wordsOf(error: unknown): Error {
  const words = new Error(error instanceof Error ? error.message : String(error));
  words.name = error instanceof Error ? error.name : 'Error';
  return words;
}
