import { Composer, type Document, Lexer, type LineCounter, Parser, YAMLParseError } from 'yaml';

/** Sections within sections; a configuration has fewer than ten. */
const MAX_DEPTH = 100;

/**
 * The document of a text, however odd: what is wrong is among its errors. Nesting is bounded while tokens are read, since
 * the library goes down into it without a bound of its own, and at the end of the stack V8 gives up for good.
 */
export function parseYaml(text: string, lines: LineCounter): Document {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ lineCounter: lines, uniqueKeys: false, merge: true, prettyErrors: false });
  let tooDeepAt: number | undefined;

  function* tokens() {
    lines.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (parser.stack.length <= MAX_DEPTH) continue;
      tooDeepAt = parser.offset;
      return;
    }
    yield* parser.end();
  }

  const [document, second] = [...composer.compose(tokens(), true, text.length)];
  if (document === undefined) throw new TypeError('the composer makes a document of any text');
  const say = (at: number, words: string) =>
    document.errors.push(new YAMLParseError([at, at + 1], 'IMPOSSIBLE', words));
  if (second !== undefined) say(second.range[0], 'there is a second document (---), expected one');
  if (tooDeepAt !== undefined) {
    document.errors.length = 0;
    say(tooDeepAt, `there are more than ${MAX_DEPTH} sections within one another`);
  }
  return document;
}
