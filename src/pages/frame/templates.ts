import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';

const OWN_FOLDER = fileURLToPath(new URL('../../../views/', import.meta.url));

/**
 * Fills a template by name. Each is compiled once, when it is first needed; one in the override folder wins. Those are read
 * at once, so that one that breaks later breaks no page, and the reload that finds it is refused.
 */
export type FillTemplate = (name: string, locals: object) => string;

export function createTemplates(overrides: string | undefined): FillTemplate {
  const own = readOwn(overrides);
  const compiled = new Map<string, (locals: object) => string>();

  function fill(name: string, locals: object): string {
    let template = compiled.get(name);
    if (template === undefined) {
      const filename = join(own.has(name) && overrides !== undefined ? overrides : OWN_FOLDER, `${name}.ejs`);
      template = ejs.compile(own.get(name) ?? readFileSync(filename, 'utf8'), { filename });
      compiled.set(name, template);
    }
    return template({ ...locals, part: (part: string, more: object = {}) => fill(part, { ...locals, ...more }) });
  }

  return fill;
}

function readOwn(overrides: string | undefined): Map<string, string> {
  if (overrides === undefined || !existsSync(overrides)) return new Map();
  const names = readdirSync(overrides).filter((file) => file.endsWith('.ejs'));
  return new Map(names.map((file) => [file.replace(/\.ejs$/, ''), readFileSync(join(overrides, file), 'utf8')]));
}
