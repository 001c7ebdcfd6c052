// Shows the code in groups as it is typed or pasted. The form works without it, and the server takes any spelling. Text with a
// character that no code has is left as it is: an address, or a sentence around the code, which the server takes apart.
const field = document.querySelector('input[data-group]');
const size = Number(field?.dataset.group);
const alphabet = field?.dataset.alphabet;

function charactersOf(text) {
  return text
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toUpperCase();
}

function grouped(characters) {
  return characters.replace(new RegExp(`(.{${size}})(?=.)`, 'gu'), '$1-');
}

function show() {
  const text = field.value;
  const caret = field.selectionStart ?? text.length;
  const characters = charactersOf(text);
  if (alphabet && [...characters].some((character) => !alphabet.includes(character))) return;
  const shown = grouped(characters);
  if (shown === text) return;
  const before = charactersOf(text.slice(0, caret));
  const isAtEnd = caret === text.length;
  field.value = shown;
  const at = isAtEnd ? shown.length : grouped(before).length;
  field.setSelectionRange(at, at);
}

if (size > 0) {
  field.addEventListener('input', (event) => {
    // What an input method is still composing is not ours to change.
    if (!event.isComposing) show();
  });
  field.addEventListener('compositionend', show);
}
