import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../../routing/header-list.ts';
import { serialiseFields } from './serialise-fields.ts';

/** Head of an answer to what never became a request; the connection ends with it. `date`: RFC 9110 §5.6.7. */
export function refusalHead(
  status: number,
  headers: HeaderList,
  contentLength: number,
  date: string,
): string {
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${serialiseFields(headers.raw, false)}` +
    `date: ${date}\r\ncontent-length: ${contentLength}\r\nconnection: close\r\n\r\n`
  );
}
