import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';

const OWN_FOLDER = fileURLToPath(new URL('../../../views/', import.meta.url));

/** Fills a template by name. Each is compiled once, when it is first needed; one in the override folder wins. */
export type FillTemplate = (name: string, locals: object) => string;

export function createTemplates(overrides: string | undefined): FillTemplate {
  const compiled = new Map<string, (locals: object) => string>();

  function fill(name: string, locals: object): string {
    let template = compiled.get(name);
    if (template === undefined) {
      const file = fileOf(name);
      template = ejs.compile(readFileSync(file, 'utf8'), { filename: file });
      compiled.set(name, template);
    }
    return template({ ...locals, part: (part: string, more: object = {}) => fill(part, { ...locals, ...more }) });
  }

  function fileOf(name: string): string {
    const own = join(OWN_FOLDER, `${name}.ejs`);
    if (overrides === undefined) return own;
    const override = join(overrides, `${name}.ejs`);
    return existsSync(override) ? override : own;
  }

  return fill;
}
