import type { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../../routing/header-list.ts';
import type { MessageWriter } from './message-writer.ts';
import { serialiseFields } from './serialise-fields.ts';

/** Answers what never became a request; the connection ends with it. `date`: RFC 9110 §5.6.7. */
export function writeRefusal(
  writer: MessageWriter,
  status: number,
  answer: { readonly headers: HeaderList; readonly body: Buffer },
  date: string,
): void {
  const { headers, body } = answer;
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${serialiseFields(headers.raw, false)}` +
    `date: ${date}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  writer.begin(head, 'length', body.length);
  writer.body(body);
  writer.end(undefined);
}
