import { splitShellWords } from './shell-words.ts';

/** A request as somebody has written it down. */
export interface WrittenRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name, value, … */
  readonly headers: readonly string[];
}

/** A curl command that cannot be read as one request; the message is for its author. */
export class CurlCommandError extends Error {
  override readonly name = 'CurlCommandError';
}

/** Options that take a value, and what becomes of it; `ignore`: it changes nothing that a gateway sees. */
const valued: Readonly<Record<string, string>> = {
  '-X': 'method', '--request': 'method', '-H': 'header', '--header': 'header', '--url': 'url',
  '-d': 'data', '--data': 'data', '--data-raw': 'data', '--data-binary': 'data', '--data-ascii': 'data', '--data-urlencode': 'data',
  '--json': 'json', '-F': 'form', '--form': 'form', '--form-string': 'form', '-T': 'upload', '--upload-file': 'upload',
  '-u': 'user', '--user': 'user', '--oauth2-bearer': 'bearer', '-A': 'agent', '--user-agent': 'agent', '-e': 'referer', '--referer': 'referer',
  '-b': 'cookie', '--cookie': 'cookie', '-r': 'range', '--range': 'range', '--url-query': 'query',
  '-o': 'ignore', '--output': 'ignore', '-m': 'ignore', '--max-time': 'ignore', '--connect-timeout': 'ignore', '-w': 'ignore', '--write-out': 'ignore',
  '-x': 'ignore', '--proxy': 'ignore', '--resolve': 'ignore', '--connect-to': 'ignore', '--retry': 'ignore', '--cacert': 'ignore', '--capath': 'ignore',
  '-E': 'ignore', '--cert': 'ignore', '--key': 'ignore', '-c': 'ignore', '--cookie-jar': 'ignore', '-D': 'ignore', '--dump-header': 'ignore',
  '--retry-delay': 'ignore', '--retry-max-time': 'ignore', '--max-redirs': 'ignore', '--limit-rate': 'ignore', '--interface': 'ignore',
  '--unix-socket': 'ignore', '--ciphers': 'ignore', '--tls-max': 'ignore', '--trace': 'ignore', '--trace-ascii': 'ignore', '--noproxy': 'ignore',
}; // prettier-ignore

/** Switches that change the request; all others change only what curl does with the answer. */
const switches: Readonly<Record<string, string>> = {
  '-I': 'head', '--head': 'head', '-G': 'get', '--get': 'get', '--compressed': 'compressed',
}; // prettier-ignore

interface Reading {
  method: string | undefined;
  readonly urls: string[];
  readonly headers: string[];
  readonly data: string[];
  readonly query: string[];
  readonly marks: Set<string>;
}

/**
 * Reads a pasted curl command line as curl would, as far as a gateway sees the difference. Nothing is run, no file is read.
 * @throws CurlCommandError, ShellWordsError
 */
export function readCurlCommand(line: string): WrittenRequest {
  const [program, ...words] = splitShellWords(line);
  if (program !== 'curl' && program?.endsWith('/curl') !== true)
    throw new CurlCommandError('the command line does not begin with curl');
  const reading: Reading = {
    method: undefined,
    urls: [],
    headers: [],
    data: [],
    query: [],
    marks: new Set(),
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--' || word === '') continue;
    if (!word.startsWith('-') || word === '-') reading.urls.push(word);
    else i += readOption(reading, word, words[i + 1]);
  }
  const [url, ...others] = reading.urls;
  if (url === undefined) throw new CurlCommandError('the curl command has no URL');
  if (others.length > 0) throw new CurlCommandError(`the curl command has two URLs: ${url} and ${others[0]}`);
  return toRequest(reading, /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`);
}

/** Says how many further words it took. */
function readOption(reading: Reading, word: string, next: string | undefined): number {
  if (word.startsWith('--')) {
    const action = valued[word];
    if (action === undefined) {
      if (switches[word] !== undefined) reading.marks.add(switches[word]);
      return 0;
    }
    apply(reading, action, needed(word, next));
    return 1;
  }
  // Short ones may stand together: -sSL, and a value may follow at once: -XPOST.
  for (let at = 1; at < word.length; at++) {
    const option = `-${word[at]}`;
    const action = valued[option];
    if (action !== undefined) {
      const rest = word.slice(at + 1);
      apply(reading, action, rest === '' ? needed(option, next) : rest);
      return rest === '' ? 1 : 0;
    }
    if (switches[option] !== undefined) reading.marks.add(switches[option]);
  }
  return 0;
}

function needed(option: string, value: string | undefined): string {
  if (value === undefined) throw new CurlCommandError(`${option} needs a value`);
  return value;
}

function apply(reading: Reading, action: string, value: string): void {
  const { headers, data, marks } = reading;
  switch (action) {
    case 'method':
      reading.method = value;
      return;
    case 'url':
      reading.urls.push(value);
      return;
    case 'header': {
      const colon = value.search(/[:;]/);
      if (colon <= 0) throw new CurlCommandError(`-H takes "name: value", not ${JSON.stringify(value)}`);
      const text = value.slice(colon + 1).trim();
      // `name:` takes a field of curl's own away, `name;` sends it empty.
      if (value[colon] === ':' && text === '') marks.add(`no ${value.slice(0, colon).toLowerCase()}`);
      else headers.push(value.slice(0, colon).trim(), text);
      return;
    }
    case 'data':
      data.push(value);
      return;
    case 'json':
      data.push(value);
      marks.add('json');
      return;
    case 'query':
      reading.query.push(value);
      return;
    case 'user':
      headers.push('Authorization', `Basic ${Buffer.from(value, 'utf8').toString('base64')}`);
      return;
    case 'bearer':
      headers.push('Authorization', `Bearer ${value}`);
      return;
    case 'agent':
      headers.push('User-Agent', value);
      return;
    case 'referer':
      headers.push('Referer', value);
      return;
    case 'cookie':
      // Without `=` it names a file of cookies.
      if (value.includes('=')) headers.push('Cookie', value);
      return;
    case 'range':
      headers.push('Range', `bytes=${value}`);
      return;
    case 'form':
    case 'upload':
      marks.add(action);
  }
}

function toRequest({ method, headers, data, query, marks }: Reading, url: string): WrittenRequest {
  const asQuery = marks.has('get') ? [...query, ...data] : query;
  const hasBody = data.length > 0 && !marks.has('get');
  const given = new Set(headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  const own: string[] = [];
  const add = (name: string, value: string): void => {
    if (!given.has(name.toLowerCase()) && !marks.has(`no ${name.toLowerCase()}`)) own.push(name, value);
  };
  add('User-Agent', 'curl');
  add('Accept', marks.has('json') ? 'application/json' : '*/*');
  if (marks.has('compressed')) add('Accept-Encoding', 'deflate, gzip, br, zstd');
  if (marks.has('json')) add('Content-Type', 'application/json');
  else if (hasBody) add('Content-Type', 'application/x-www-form-urlencoded');
  else if (marks.has('form')) add('Content-Type', 'multipart/form-data');
  const implied = marks.has('head')
    ? 'HEAD'
    : marks.has('upload')
      ? 'PUT'
      : hasBody || marks.has('form')
        ? 'POST'
        : 'GET';
  return { method: method ?? implied, url: withQuery(url, asQuery), headers: [...own, ...headers] };
}

function withQuery(url: string, pieces: readonly string[]): string {
  if (pieces.length === 0) return url;
  const [whole = ''] = url.split('#', 1);
  return `${whole}${whole.includes('?') ? '&' : '?'}${pieces.join('&')}`;
}
