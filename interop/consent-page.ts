import type { HtmlForm } from '../demo/html-form.ts';

/** What a person does with a page. */
export interface Answer {
  form: HtmlForm;
  filled: Record<string, string>;
  isNo?: boolean;
}

/** Consent pages have two buttons, and no agreement on their names. */
export function consent(forms: readonly HtmlForm[], html: string, isNo: boolean): Answer | undefined {
  const names = isNo ? ['cancel', 'deny', 'abort'] : ['accept', 'allow', 'confirm', 'consent', 'approve'];
  const pressed = inputsIn(html, 'submit');
  const form = forms.find(({ method, fields }) => method === 'POST' && !fields.has('session'));
  if (form === undefined || pressed.length === 0) return undefined;
  const button = pressed.find(({ name, value }) => [name, value].some((word) => names.includes(word.toLowerCase())));
  if (button !== undefined) return { form, filled: { [button.name]: button.value } };
  // django-oauth-toolkit: no is the button without the name of yes.
  if (isNo && pressed.some(({ name }) => name === 'allow')) return { form, filled: {} };
  // oidc-provider: yes is a button without a name.
  const isAsked = form.fields.has('confirm') || form.fields.get('prompt') === 'consent';
  if (!isNo && isAsked) return { form, filled: {} };
  // Spring: a box for each scope; its no is a script that sends the form with none of them ticked.
  const boxes = inputsIn(html, 'checkbox').map(({ name }) => name);
  const fields = new Map([...form.fields].filter(([name]) => !isNo || !boxes.includes(name)));
  return boxes.length > 0 ? { form: { ...form, fields }, filled: {} } : undefined;
}

export function inputsIn(html: string, type: string): { name: string; value: string }[] {
  return [...html.matchAll(new RegExp(`<(?:button|input)\\b[^>]*\\btype="${type}"[^>]*>`, 'gi'))].map(([tag]) => ({
    name: /\bname="([^"]*)"/i.exec(tag)?.[1] ?? '',
    value: /\bvalue="([^"]*)"/i.exec(tag)?.[1] ?? '',
  }));
}
