import { spawn } from 'node:child_process';
import type { Environment } from '../../config/environment.ts';

/** What the machine's desktop does for a person: a browser and a clipboard. Neither is waited for, and either may not be there. */
export interface Desktop {
  open(address: string): void;
  copy(text: string): void;
}

export function desktopOf(environment: Environment, platform: NodeJS.Platform): Desktop {
  return {
    // The address is one argument, and no shell reads it.
    open: (address) => start([...opener(environment, platform), address]),
    copy: (text) => start(clipboard(environment, platform), text),
  };
}

function opener(environment: Environment, platform: NodeJS.Platform): string[] {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return [environment['WSL_DISTRO_NAME'] === undefined ? 'xdg-open' : 'explorer.exe'];
}

function clipboard(environment: Environment, platform: NodeJS.Platform): string[] {
  if (platform === 'darwin') return ['pbcopy'];
  if (platform === 'win32' || environment['WSL_DISTRO_NAME'] !== undefined) return ['clip.exe'];
  return (environment['WAYLAND_DISPLAY'] ?? '') === '' ? ['xclip', '-selection', 'clipboard'] : ['wl-copy'];
}

function start([program = '', ...args]: readonly string[], input = ''): void {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // What is not there is no reason to stop: the address and the code stand on the screen.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  child.unref();
}
