import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject } from '../../oauth/json-object.ts';
import type { Texts } from '../../pages/frame/languages.ts';
import { reasonOf } from '../config-error.ts';

/** Our own languages. */
export const LANGUAGES_FOLDER = fileURLToPath(new URL('../../../views/languages/', import.meta.url));

/** The texts of a file, or why it has none that a page could use. */
export function readTexts(file: string): Texts | string {
  let written: string;
  try {
    written = readFileSync(file, 'utf8');
  } catch (error) {
    return `${file} cannot be read (${reasonOf(error)}), expected a file of texts`;
  }
  return parseTexts(file, written);
}

/** @param file as a fault names it */
export function parseTexts(file: string, written: string): Texts | string {
  let read: unknown;
  try {
    read = JSON.parse(written);
  } catch (error) {
    return `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isJsonObject(read)) return `${file} has no sections of texts, expected an object like those of views/languages`;
  const wrong = firstFault(read, readOwn(file));
  return wrong === undefined ? (read as Texts) : `${file} has ${wrong}`;
}

/** English is the pattern of all. */
function readOwn(file: string): Texts {
  const english = join(LANGUAGES_FOLDER, 'en.json');
  return file === english ? {} : (JSON.parse(readFileSync(english, 'utf8')) as Texts);
}

/** A page that looks for a text and finds a section, or nothing, could only say so to a person. */
function firstFault(section: Record<string, unknown>, pattern: Texts | undefined, before = ''): string | undefined {
  for (const [key, value] of Object.entries(section)) {
    const path = before + key;
    const ours = pattern !== undefined && Object.hasOwn(pattern, key) ? pattern[key] : undefined;
    if (typeof value === 'string') {
      if (typeof ours === 'object') return `a text at ${path}, expected a section of texts`;
    } else if (!isJsonObject(value)) {
      return `${value === null ? 'null' : JSON.stringify(value).slice(0, 40)} at ${path}, expected a text or a section of texts`;
    } else if (typeof ours === 'string') {
      return `a section at ${path}, expected a text`;
    } else {
      const fault = firstFault(value, ours, `${path}.`);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}
