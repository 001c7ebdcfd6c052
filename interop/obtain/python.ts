import { join } from 'node:path';
import { obtainBy } from '../program.ts';
import { cacheFolder, once, shortHash } from './cache.ts';

export interface PythonEnvironment {
  python: string;
  bin(name: string): string;
  /** @returns the version that was installed */
  version(distribution: string): Promise<string>;
}

/** A virtual environment with these distributions from PyPI, and what they need. */
export async function pythonEnvironment(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const folder = await once(cacheFolder('python', `${name}-${shortHash(requirements.join(' '))}`), async (empty) => {
    await obtainBy(['python3', '-m', 'venv', empty]);
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
