import type { HtmlForm } from '../../../demo/html-form.ts';
import type { ScriptedPerson, VisitedPage } from '../../../demo/scripted-person.ts';

/** The first form of a page with such a field, or with such a button. */
export function formWith(page: VisitedPage, name: string, value?: string): HtmlForm {
  const form = page.forms.find(
    ({ fields, buttons }) =>
      buttons.some((button) => button.name === name && button.value === value) ||
      (fields.has(name) && !buttons.some((button) => button.name === name)),
  );
  if (form === undefined) throw new Error(`“${page.heading}” has no form for ${name}=${value}`);
  return form;
}

/** Types a code at an address, and goes on as far as the pages and the upstream lead by themselves. */
export async function typeCode(person: ScriptedPerson, address: string | URL, userCode: string): Promise<VisitedPage> {
  const page = await person.visit(address);
  return person.submit(page, formWith(page, 'user_code'), { user_code: userCode });
}

/** Presses one of the buttons that decide; of a prefilled code the end is typed too. */
export function answer(
  person: ScriptedPerson,
  page: VisitedPage,
  decision: 'approve' | 'deny' | 'report' | 'other_account',
  typedSuffix?: string,
): Promise<VisitedPage> {
  const typed = typedSuffix === undefined ? {} : { confirm_code: typedSuffix };
  return person.submit(page, formWith(page, 'decision', decision), { decision, ...typed });
}
