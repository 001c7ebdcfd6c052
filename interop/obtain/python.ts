import { join } from 'node:path';
import { installFromDebian } from '../../test/support/programs.ts';
import { NotObtainedError, obtainBy, runProgram } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';
import { systemProgram } from './system-program.ts';

export interface PythonEnvironment {
  python: string;
  bin(name: string): string;
  /** @returns the version that was installed */
  version(distribution: string): Promise<string>;
}

/** A virtual environment with these distributions from PyPI, and what they need. */
export async function pythonEnvironment(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const folder = await once(cacheFolder('python', `${name}-${shortHash(requirements.join(' '))}`), async (empty) => {
    await obtainBy([await pythonWithVenv(), '-m', 'venv', empty]);
    await obtainBy([join(empty, 'bin', 'pip'), 'install', '-q', '--disable-pip-version-check', ...requirements]);
  });
  const python = join(folder, 'bin', 'python');
  return {
    python,
    bin: (program) => join(folder, 'bin', program),
    version: async (distribution) => {
      const code = `import importlib.metadata as m; print(m.version(${JSON.stringify(distribution)}))`;
      return (await obtainBy([python, '-c', code])).trim();
    },
  };
}

export function pythonProgram(): Promise<string> {
  return systemProgram('python3', 'python3-venv');
}

/** Debian's Python comes without what makes virtual environments. */
async function pythonWithVenv(): Promise<string> {
  const python = await pythonProgram();
  const probe = [python, '-c', 'import venv, ensurepip'];
  try {
    await runProgram(probe);
  } catch {
    await installFromDebian('python3-venv');
    await runProgram(probe).catch(() => {
      throw new NotObtainedError(`${python} has no venv; on Debian: apt-get install python3-venv`);
    });
  }
  return python;
}
