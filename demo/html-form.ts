/** What a script needs of a page: its forms with all that they would send, its links, and where it refreshes to. */
export interface HtmlForm {
  action: URL;
  method: 'GET' | 'POST';
  /** Fields that a person fills in or that come filled, hidden ones included, with the values that they have. */
  fields: ReadonlyMap<string, string>;
  /** Buttons that send a name and a value when they are pressed. */
  buttons: readonly { name: string; value: string }[];
}

type Attributes = ReadonlyMap<string, string>;

/** Reads our own pages and those of well-behaved servers; it is no parser for the open web. */
export function formsIn(html: string, base: URL): HtmlForm[] {
  const forms = [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, tag = '', content = '']) => {
    const attributes = attributesOf(tag);
    return { id: attributes.get('id'), attributes, fields: fieldsIn(content), buttons: buttonsIn(content, undefined) };
  });
  // A button may stand elsewhere and name its form.
  return forms.map(({ id, attributes, fields, buttons }) => ({
    action: new URL(attributes.get('action') ?? base.href, base),
    method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
    fields,
    buttons: id === undefined ? buttons : [...buttons, ...buttonsIn(html, id)],
  }));
}

export function linksIn(html: string, base: URL): URL[] {
  return [...html.matchAll(/<a\b([^>]*)>/gi)]
    .map(([, tag = '']) => attributesOf(tag).get('href') ?? '')
    .filter((href) => URL.canParse(href, base.href))
    .map((href) => new URL(href, base));
}

/** Where the page sends the browser at once, as a browser without script follows it too. */
export function refreshIn(html: string, base: URL): URL | undefined {
  for (const [, tag = ''] of html.matchAll(/<meta\b([^>]*)>/gi)) {
    const attributes = attributesOf(tag);
    if (attributes.get('http-equiv')?.toLowerCase() !== 'refresh') continue;
    const address = /^\s*0\s*;\s*url=(.*)$/i.exec(attributes.get('content') ?? '')?.[1];
    if (address !== undefined) return new URL(address, base);
  }
  return undefined;
}

export function headingOf(html: string): string {
  const heading = /<h1\b[^>]*>(.*?)<\/h1>/is.exec(html)?.[1] ?? /<title>(.*?)<\/title>/is.exec(html)?.[1] ?? '';
  return decoded(heading.replace(/<[^>]*>/g, '')).trim();
}

function fieldsIn(content: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, tag = ''] of content.matchAll(/<input\b([^>]*)>/gi)) {
    const attributes = attributesOf(tag);
    const name = attributes.get('name');
    const isSent = !['submit', 'button', 'reset', 'image'].includes(attributes.get('type') ?? 'text');
    if (name !== undefined && isSent) fields.set(name, attributes.get('value') ?? '');
  }
  return fields;
}

/** @param form the id of the form to which the buttons say that they belong; `undefined` for those that say nothing */
function buttonsIn(content: string, form: string | undefined): { name: string; value: string }[] {
  return [...content.matchAll(/<button\b([^>]*)>/gi)]
    .map(([, tag = '']) => attributesOf(tag))
    .filter((attributes) => attributes.get('form') === form && attributes.has('name'))
    .map((attributes) => ({ name: attributes.get('name') ?? '', value: attributes.get('value') ?? '' }));
}

function attributesOf(tag: string): Attributes {
  const found = tag.matchAll(/([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g);
  return new Map(
    [...found].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decoded(double ?? single ?? bare ?? ''),
    ]),
  );
}

const entities = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities.get(name?.toLowerCase() ?? '') ?? whole;
  });
}
