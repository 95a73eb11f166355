import { Buffer } from 'node:buffer';
import { loadSchemas } from '../../../../src/controller/parse/load-schemas.ts';
import type { ParsedFile } from '../../../../src/controller/parse/parsed-file.ts';
import type { Parser, ParserOptions } from '../../../../src/controller/parse/parser.ts';
import { createParser } from '../../../../src/controller/parse/parser.ts';
import { findMiddleware } from '../../../../src/middleware/registry.ts';

/** The parser as the controller opens it. */
export function openTestParser(options: Partial<ParserOptions> = {}): Parser {
  return createParser(loadSchemas(), {
    checkMiddleware: (type, config) => findMiddleware(type)?.check?.(config) ?? [],
    ...options,
  });
}

/** Problems as `validate` prints them, from top to bottom of each document. */
export function printProblems({ problems, documents }: ParsedFile): string[] {
  return [...problems, ...documents.flatMap((document) => document.problems)].map(
    ({ at, path, message, hint }) =>
      `${at} ${path === '' ? '' : `${path} `}${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

export function parseText(parser: Parser, text: string | Buffer): ParsedFile {
  return parser.parseFile({
    path: 'f.yaml',
    bytes: () => (typeof text === 'string' ? Buffer.from(text) : text),
  });
}
