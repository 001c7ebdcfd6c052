import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFile, usualConfigFiles } from '../../../src/config/environment.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { folderWith, leastFile } from './written.ts';

describe('the configuration file', () => {
  const folder = folderWith({ 'gatehouse/gatehouse.yaml': leastFile() });
  const home = folderWith({ '.config/gatehouse/gatehouse.yaml': leastFile() });

  it('is the one that is asked for, else that of GATEHOUSE_CONFIG, there or not', () => {
    const environment = { GATEHOUSE_CONFIG: 'elsewhere.yaml', XDG_CONFIG_HOME: folder };
    expect(configFile('asked.yaml', environment)).toBe('asked.yaml');
    expect(configFile(undefined, environment)).toBe('elsewhere.yaml');
  });

  it('is else the first that is there of the usual ones', () => {
    expect(configFile(undefined, { XDG_CONFIG_HOME: folder })).toBe(join(folder, 'gatehouse/gatehouse.yaml'));
    expect(configFile(undefined, { HOME: home })).toBe(join(home, '.config/gatehouse/gatehouse.yaml'));
    expect(configFile(undefined, { HOME: folder, GATEHOUSE_CONFIG: '' })).toBe('config/gatehouse.yaml');
  });

  it.each([
    [{ XDG_CONFIG_HOME: '/x', HOME: '/h' }, ['/x/gatehouse/gatehouse.yaml']],
    [{ XDG_CONFIG_HOME: '', HOME: '/h' }, ['/h/.config/gatehouse/gatehouse.yaml']],
    [{ XDG_CONFIG_HOME: 'relative', HOME: '/h' }, ['/h/.config/gatehouse/gatehouse.yaml']],
    [{}, []],
  ])('of %j is looked for in the folder, of the person, of the machine', (environment, own) => {
    const all = ['config/gatehouse.yaml', ...own, '/etc/gatehouse/gatehouse.yaml'];
    expect(usualConfigFiles(environment)).toEqual(all);
  });

  it('that is nowhere is told with all places', async () => {
    const problem = await loadConfig('config/gatehouse.yaml', { HOME: '/nowhere' }).catch(String);
    expect(problem).toMatch(
      /config\/gatehouse\.yaml:1:1 \(file\): .* \(there is no such file\), expected a YAML file, there or/,
    );
    expect(problem).toContain('there or at /nowhere/.config/gatehouse/gatehouse.yaml or /etc/gatehouse/gatehouse.yaml');
    expect(await loadConfig('/nowhere/g.yaml', {}).catch(String)).toMatch(/expected a YAML file$/);
  });
});
