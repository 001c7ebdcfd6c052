import type { PageSettings } from './page-deps.ts';

const COLOUR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;
/** WCAG 2.2 §1.4.3 for text. */
const READABLE = 4.5;
/** On any colour one of the two is readable; with a softer black that would not be so. */
const DARK_INK = '#000000';
const LIGHT_INK = '#ffffff';
/** As the stylesheet has them. */
const SCHEMES = {
  light: { sheet: '#ffffff', towards: '#000000' },
  dark: { sheet: '#1c2024', towards: '#ffffff' },
} as const;
const MIXING_STEPS = 20;

type Rgb = readonly [number, number, number];

/**
 * The administrator's colours, completed so that no choice of theirs makes a text hard to read: ink on the accent and on
 * the background is the lighter or the darker one, whichever has the contrast, and where the accent itself is ink it is
 * moved towards black (in the dark scheme: white) as far as it takes.
 */
export function themeRules({ accent, background }: PageSettings['theme']): string {
  const accentText = accent === undefined || !COLOUR.test(accent) ? undefined : accent;
  const depsText = background === undefined || !COLOUR.test(background) ? undefined : background;
  const light = [...accentRules(accentText, 'light'), ...backgroundRules(depsText, 'light')];
  const dark = [...accentRules(accentText, 'dark'), ...backgroundRules(depsText, 'dark')];
  const all = light.length === 0 ? '' : `\n:root:root { ${light.join(' ')} }\n`;
  const inTheDark = dark.length === 0 ? '' : `:root:root { ${dark.join(' ')} }`;
  return inTheDark === '' ? all : `${all}@media (prefers-color-scheme: dark) { ${inTheDark} }\n`;
}

/** The background of the pages by scheme, for what a browser draws around them. */
export function themeColours({ background }: PageSettings['theme']): { light: string; dark: string } {
  const ours = { light: '#f4f3ef', dark: '#121518' };
  if (background === undefined || !COLOUR.test(background)) return ours;
  return { light: background, dark: inkOn(background) === DARK_INK ? ours.dark : background };
}

function accentRules(accent: string | undefined, scheme: keyof typeof SCHEMES): string[] {
  if (accent === undefined) return [];
  return [
    `--accent: ${accent};`,
    `--on-accent: ${inkOn(accent)};`,
    `--accent-ink: ${readableOn(SCHEMES[scheme].sheet, accent, SCHEMES[scheme].towards)};`,
  ];
}

function backgroundRules(deps: string | undefined, scheme: keyof typeof SCHEMES): string[] {
  if (deps === undefined) return [];
  const ink = inkOn(deps);
  // A light background would dazzle those who asked for a dark one: there ours stays.
  if (scheme === 'dark' && ink === DARK_INK) {
    return ['--ground: #121518;', '--on-ground: #eceef0;', '--quiet-on-ground: #a9b0b8;'];
  }
  return [`--ground: ${deps};`, `--on-ground: ${ink};`, `--quiet-on-ground: ${ink};`];
}

function inkOn(deps: string): string {
  return contrast(LIGHT_INK, deps) >= READABLE ? LIGHT_INK : DARK_INK;
}

function readableOn(deps: string, colour: string, towards: string): string {
  const [from, to] = [rgbOf(colour), rgbOf(towards)];
  for (let step = 0; step < MIXING_STEPS; step += 1) {
    const share = step / MIXING_STEPS;
    const mixed = hexOf(from.map((part, at) => part + ((to[at] ?? 0) - part) * share));
    if (contrast(mixed, deps) >= READABLE) return mixed;
  }
  return towards;
}

/** WCAG 2.2, "contrast ratio". */
export function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((left, right) => right - left);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = rgbOf(colour).map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function rgbOf(colour: string): Rgb {
  const digits = colour.length === 4 ? colour.slice(1).replace(/./g, '$&$&') : colour.slice(1);
  const value = Number.parseInt(digits, 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function hexOf(parts: readonly number[]): string {
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}
