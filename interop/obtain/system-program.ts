import { installFromDebian, onPath } from '../../test/support/programs.ts';
import { NotObtainedError } from '../program.ts';

/** A program of the system's, installed from Debian where it is missing and we may. */
export async function systemProgram(name: string, ...packages: readonly string[]): Promise<string> {
  if (onPath(name) === undefined) await installFromDebian(...packages);
  const found = onPath(name);
  if (found !== undefined) return found;
  throw new NotObtainedError(`${name} is not on PATH; on Debian: apt-get install ${packages.join(' ')}`);
}
