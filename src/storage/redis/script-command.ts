import { Command } from 'ioredis';

/**
 * EVALSHA in one text of ours. ioredis would copy the arguments, look each over, and put the text together in three steps,
 * which costs as much as all else that it does for a poll. It is sent, answered and sent again like any other command.
 */
export class ScriptCommand extends Command {
  readonly #text: string;

  constructor(sha1: string, keys: readonly string[], args: readonly string[]) {
    super('evalsha', [sha1], UTF8);
    const count = String(keys.length);
    let text = `*${3 + keys.length + args.length}\r\n$7\r\nevalsha\r\n$40\r\n${sha1}\r\n$${count.length}\r\n${count}\r\n`;
    // By their bytes, whatever is in them: a length that lies would let a key go on as another command.
    for (const key of keys) text += `$${Buffer.byteLength(key)}\r\n${key}\r\n`;
    for (const arg of args) text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
    this.#text = text;
  }

  override toWritable(): string {
    return this.#text;
  }
}

const UTF8 = { replyEncoding: 'utf8' } as const;
