import type { Spot } from './completion-spots.ts';

/** Windows PowerShell 5.1 and later. */
export function powershellCompletion(commands: readonly string[], spots: readonly Spot[]): string {
  const verbs = spots.flatMap(({ command, verb }) => (verb === undefined ? [] : [`${command} ${verb}`]));
  const words = spots.map(({ command, verb, words: own, options }) => {
    const key = verb === undefined ? command : `${command} ${verb}`;
    return `    ${quoted(key)} = ${list([...own, ...options].map(({ text }) => text))}`;
  });
  const values = new Map<string, string>();
  for (const { command, options } of spots) {
    for (const { text, takes } of options) {
      if (takes === 'nothing' || takes === 'file') continue;
      values.set(`${command} ${text}`, typeof takes === 'string' ? '@()' : list(takes));
    }
  }
  return `# PowerShell completion of gatehouse
Register-ArgumentCompleter -Native -CommandName gatehouse -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $verbs = ${list(verbs)}
  $words = @{
    '' = ${list([...commands, '--help', '--version'])}
${words.join('\n')}
  }
  $values = @{
${[...values].map(([key, choices]) => `    ${quoted(key)} = ${choices}`).join('\n')}
  }
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -ne '' -and $typed.Count -gt 0) { $typed = @($typed | Select-Object -SkipLast 1) }
  $key = ''
  if ($typed.Count -gt 0) { $key = $typed[0] }
  foreach ($word in @($typed | Select-Object -Skip 1)) {
    if ($verbs -contains "$key $word") { $key = "$key $word"; break }
  }
  $choices = $words[$key]
  if ($typed.Count -gt 1) {
    $option = "$($typed[0]) $($typed[-1])"
    if ($values.ContainsKey($option)) { $choices = $values[$option] }
  }
  $choices | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}

function list(texts: readonly string[]): string {
  return `@(${texts.map(quoted).join(', ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
