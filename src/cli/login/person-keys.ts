import type { Desktop } from '../terminal/desktop.ts';
import { printable } from '../terminal/printable.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { assertSafeAddress } from './safe-fetch.ts';

export interface KeysDeps {
  terminal: Terminal;
  desktop: Desktop | undefined;
  verificationUri: string;
  userCode: string;
}

/**
 * What a line means besides digits: nothing opens the page here, and c copies the code. It opens because a person asked, and
 * without the code in it: who types the code has read where it goes (RFC 8628 §5.4).
 */
export function personKeys(deps: KeysDeps): ((line: string) => boolean) | undefined {
  const { terminal, desktop, verificationUri, userCode } = deps;
  if (desktop === undefined || !URL.canParse(verificationUri)) return undefined;
  terminal.line('Press Enter to open the page in your browser, or type c and Enter to copy the code.');
  return (line) => {
    if (line === '') {
      assertSafeAddress(verificationUri);
      desktop.open(verificationUri);
      terminal.line('Opening the page in your browser.');
      return true;
    }
    if (!/^c$/i.test(line)) return false;
    const code = printable(userCode);
    // OSC 52: the terminal's own clipboard, over ssh and in tmux too where they let it through.
    if (terminal.isRich) terminal.write(`\u001b]52;c;${Buffer.from(code).toString('base64')}\u0007`);
    desktop.copy(code);
    terminal.line('The code is copied.');
    return true;
  };
}
