import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStatusLine } from '../../../../src/cli/terminal/status-line.ts';
import { openTerminal } from '../../../../src/cli/terminal/terminal.ts';
import { recordedStream } from '../../../support/recorded-stream.ts';

describe('the status line', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function open(screen: { isTTY: boolean; columns?: number }) {
    const stream = recordedStream(screen);
    return { stream, status: openStatusLine(openTerminal({ stream, environment: {}, plain: false })) };
  }

  it('turns in its place, and leaves nothing behind', () => {
    const { stream, status } = open({ isTTY: true });
    status.show('Waiting');
    vi.advanceTimersByTime(250);
    expect(stream.text).toBe('\r\u001b[K⠋ Waiting\r\u001b[K⠙ Waiting\r\u001b[K⠹ Waiting');
    status.stop();
    status.stop();
    const atEnd = stream.text;
    expect(atEnd.endsWith('\r\u001b[K')).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(stream.text).toBe(atEnd);
  });

  it('never fills the whole width, for a line that wraps cannot be drawn again', () => {
    const { stream, status } = open({ isTTY: true, columns: 20 });
    status.show('A text that is much longer than the window is wide');
    status.stop();
    expect(stream.text.split('\r\u001b[K')[1]).toBe('⠋ A text that is m…');
  });

  it('is one line for each new text where nothing may move', () => {
    const { stream, status } = open({ isTTY: false });
    for (const text of ['Waiting', 'Waiting', 'Trying again', 'Waiting']) status.show(text);
    vi.advanceTimersByTime(1000);
    status.stop();
    expect(stream.text).toBe('Waiting\nTrying again\nWaiting\n');
  });
});
