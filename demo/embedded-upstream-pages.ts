import type { EmbeddedUser } from './embedded-user.ts';

interface Choice {
  displayName: string;
  users: readonly EmbeddedUser[];
  /** Who is signed in already, if anybody. */
  signedIn: string | undefined;
  prompt: string;
}

export function choicePage({ displayName, users, signedIn, prompt }: Choice): string {
  const only = prompt === 'consent' ? users.filter((user) => user.subject === signedIn) : users;
  const buttons = only
    .map(
      ({ subject, name, email, groups }) => `
      <button name="user" value="${escaped(subject)}">
        <strong>${escaped(name)}</strong><span>${escaped(email)} · ${escaped(groups.join(', '))}</span>
      </button>`,
    )
    .join('');
  return messagePage(
    displayName,
    'Who are you?',
    'This is the demo’s own identity provider. Nobody here has a password: choose a person.',
    `<form method="post">${buttons}
      <button class="quiet" name="decision" value="deny">No, cancel</button>
    </form>`,
  );
}

/** @param html markup of ours, put in as it is */
export function messagePage(displayName: string, title: string, message: string, html = ''): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · ${escaped(displayName)}</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 26rem; margin: 10vh auto; padding: 0 1.25rem; }
  small { letter-spacing: .04em; opacity: .75; }
  h1 { margin: .25rem 0 .75rem; font-size: 1.6rem; }
  form { display: grid; gap: .75rem; margin-top: 1.5rem; }
  button { font: inherit; text-align: left; padding: .8rem 1rem; border: 1px solid #8888; border-radius: .6rem; background: #8881; cursor: pointer; }
  button:hover, button:focus-visible { border-color: currentColor; }
  button span { display: block; font-size: .875rem; opacity: .8; }
  .quiet { text-align: center; background: none; }
</style>
<small>${escaped(displayName)}</small>
<h1>${escaped(title)}</h1>
<p>${escaped(message)}</p>
${html}
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
