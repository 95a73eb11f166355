/** `FILE:L:C` in its parts; numbers count from 1, undefined where the problem is about the whole file. */
export interface Place {
  readonly file: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

const pattern = /^(.*?)(?::(\d+))?(?::(\d+))?$/s;

export function placeOf(at: string): Place {
  const [, file = '', line, column] = pattern.exec(at) ?? [];
  const number = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Number(text);
  return { file, line: number(line), column: number(column) };
}
