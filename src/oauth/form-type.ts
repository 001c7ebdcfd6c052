export const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * Whether a Content-Type is a form's, its parameters aside: much of Java says `charset=ISO-8859-1` there and sends
 * ASCII. The registration of the type knows no parameters, so the bytes themselves are looked at.
 */
export function isFormType(type: string): boolean {
  return type === FORM_TYPE || type.replace(/;.*$/s, '').trim().toLowerCase() === FORM_TYPE;
}
