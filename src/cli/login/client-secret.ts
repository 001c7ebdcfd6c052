import { readFile } from 'node:fs/promises';
import type { Environment } from '../../config/environment.ts';

/** Where a client's secret is. It is kept nowhere else, and read anew each time. */
export type SecretPlace = { env: string } | { file: string };

export async function readClientSecret(
  place: SecretPlace | undefined,
  environment: Environment,
): Promise<string | undefined> {
  if (place === undefined) return undefined;
  if ('file' in place) return (await readFile(place.file, 'utf8')).replace(/\r?\n$/, '');
  const value = (Object.hasOwn(environment, place.env) && environment[place.env]) || '';
  if (value === '') throw new Error(`The environment variable ${place.env} is empty or not set`);
  return value;
}
