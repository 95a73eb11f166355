import fc from 'fast-check';

const fragments = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\xa0',
    '\xff',
    ':',
    ',',
    ';',
    '"',
    '=',
    '+',
    '-',
  ],
  ...['0', '1', '5', 'a', 'f', '00', '0x', '#', '%', '/', '@', '*', '[', '\\'],
  ...['Content-Length: 5\r\n', 'Content-Length: 6\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n'],
  ...[
    'transfer-encoding : chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Connection: close\r\n',
    ' folded\r\n',
  ],
  ...[
    'chunked',
    'identity',
    'keep-alive',
    'HTTP/1.0',
    'HTTP/1.1',
    'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
];

interface Mutation {
  readonly at: number;
  readonly drop: number;
  readonly insert: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(400),
  drop: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(3) }),
  insert: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...fragments) },
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
  ),
});

/** Valid messages with a few bytes dropped and attacks put in their place. */
export function mutated(valid: readonly string[], maxMessages: number): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.array(fc.constantFrom(...valid), { minLength: 1, maxLength: maxMessages }),
      fc.array(mutation, { maxLength: 4 }),
    )
    .map(([messages, mutations]) => {
      let wire = messages.join('');
      for (const { at, drop, insert } of mutations) {
        const place = at % (wire.length + 1);
        wire = wire.slice(0, place) + insert + wire.slice(place + drop);
      }
      return wire;
    });
}

/** Bounded by count in every test run, by time where MGATEWAY_FUZZ_SECONDS says so. */
export function fuzzing(runs: number): {
  readonly parameters: fc.Parameters<unknown>;
  readonly timeoutMs: number;
} {
  const seconds = Number(process.env['MGATEWAY_FUZZ_SECONDS'] ?? 0);
  if (!(seconds > 0)) return { parameters: { numRuns: runs }, timeoutMs: 60_000 };
  return {
    parameters: { numRuns: 1_000_000_000, interruptAfterTimeLimit: seconds * 1000 },
    timeoutMs: seconds * 1000 + 60_000,
  };
}
