import type { Document, ParsedNode, YAMLError } from 'yaml';
import { Composer, Lexer, Parser } from 'yaml';
import type { PlacedFinding } from './finding.ts';
import { placeAt } from './place-at.ts';

/** Nesting beyond this is no configuration; it would only exhaust the stack of whoever walks it. */
const maxDepth = 64;

/** Not YAML: nobody can say what the author meant. */
export interface YamlErrors {
  readonly errors: readonly PlacedFinding[];
}

/**
 * Composes the text of one document by YAML 1.2 (core schema) into a tree with positions. Depth is capped while tokens
 * come in, before anything recursive or quadratic sees them. Aliases, tags and duplicate keys are not looked at here.
 */
export function readYaml(text: string): { readonly document: Document.Parsed<ParsedNode> } | YamlErrors {
  const parser = new Parser();
  const tokens = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > maxDepth) {
      const place = placeAt(text, parser.offset);
      return { errors: [{ ...place, path: '', message: `nested more than ${maxDepth} levels deep` }] };
    }
  }
  for (const token of parser.end()) tokens.push(token);

  const composer = new Composer({ version: '1.2', schema: 'core', stringKeys: true, uniqueKeys: false });
  const [document, ...others] = composer.compose(tokens, true, text.length);
  if (document === undefined) return { errors: [] };
  // A tag that does not fit is a problem of its document: the text around it is understood.
  const errors = document.errors.filter((error) => error.code !== 'TAG_RESOLVE_FAILED');
  if (errors.length > 0) return { errors: errors.slice(0, 20).map((error) => describe(text, error)) };
  if (others.length > 0) {
    const place = placeAt(text, others[0]?.range[0] ?? 0);
    return { errors: [{ ...place, path: '', message: 'a second document must begin with ---' }] };
  }
  return { document };
}

function describe(text: string, error: YAMLError): PlacedFinding {
  const hint = hintFor(error);
  return {
    ...placeAt(text, error.pos[0]),
    path: '',
    message: `not YAML: ${messageFor(error)}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function messageFor(error: YAMLError): string {
  return error.code === 'NON_STRING_KEY' ? 'the name of a field must be a text' : lowerFirst(error.message);
}

function hintFor(error: YAMLError): string | undefined {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'indent with spaces';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a text with ": " in it needs quotes';
    case 'NON_STRING_KEY':
      return 'a text that begins with { or [ needs quotes, and templates such as {{ … }} must be rendered before';
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a field is written "name: value", with a blank after the colon';
    case 'BAD_SCALAR_START':
      return 'a text that begins with this character needs quotes';
    default:
      return undefined;
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
