import type { Spot, Taken, Word } from './completion-spots.ts';

/** Both as a file of `fpath` and by `eval`. */
export function zshCompletion(commands: readonly Word[], spots: readonly Spot[]): string {
  const listed = commands.map(({ text, about }) => `    ${quoted(`${text}:${about}`)}`);
  return `#compdef gatehouse
# zsh completion of gatehouse
_gatehouse() {
  local -a commands
  commands=(
${listed.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  local command="$words[1]" verb=""
  case "$command $words[2]" in
${spots
  .filter(({ verb }) => verb !== undefined)
  .map(verbCase)
  .join('\n')}
  esac
  case "$command$verb" in
${spots.map(spotCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _gatehouse ]]; then
  _gatehouse "$@"
else
  compdef _gatehouse gatehouse
fi
`;
}

function verbCase({ command, verb }: Spot): string {
  return `    ${quoted(`${command} ${verb}`)}) if (( CURRENT > 2 )); then verb=" $words[2]"; shift words; (( CURRENT-- )); fi ;;`;
}

function spotCase({ command, verb, words, options, takesFiles }: Spot): string {
  const choices = words.map(({ text, about }) => (about === '' ? text : `${text}\\:${escaped(about)}`));
  const isTold = words.some(({ about }) => about !== '');
  const list = isTold
    ? `((${choices.map((choice) => choice.replaceAll(' ', '\\ ')).join(' ')}))`
    : `(${choices.join(' ')})`;
  const operands = words.length > 0 ? [quoted(`1: :${list}`)] : takesFiles ? [quoted('*:file:_files')] : [];
  const name = verb === undefined ? command : `${command} ${verb}`;
  const lines = [
    ...options.map(({ text, about, takes }) => quoted(`*${text}[${escaped(about)}]${valueSpec(takes)}`)),
    ...operands,
  ];
  return `    ${quoted(name)})\n      _arguments \\\n${lines.map((line) => `        ${line}`).join(' \\\n')}\n      ;;`;
}

function valueSpec(takes: Taken): string {
  if (takes === 'nothing') return '';
  if (takes === 'file') return ': :_files';
  return takes === 'anything' ? ': :' : `: :(${takes.join(' ')})`;
}

/** In what _arguments reads, these stand for themselves only behind a backslash. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\()]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
