import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { openTestParser, parseText, printProblems } from './open-test-parser.ts';

const route = (spec: string): string =>
  `apiVersion: mgateway.dev/v1alpha1\nkind: Route\nmetadata: { name: r }\nspec:\n${spec}\n`;
const upstreams = '  upstreams: [{ name: u }]';
const gateway = (spec: string): string =>
  `apiVersion: mgateway.dev/v1alpha1\nkind: Gateway\nmetadata: { name: g }\nspec:\n${spec}\n`;
const middleware = (spec: string): string =>
  `apiVersion: mgateway.dev/v1alpha1\nkind: Middleware\nmetadata: { name: m }\nspec:\n${spec}\n`;

/** What is written, and all that is said about it. */
const table: Readonly<Record<string, readonly [text: string, problems: readonly string[]]>> = {
  'an unknown field': [
    route(`  hostname: a.example.com\n${upstreams}`),
    ['f.yaml:5:3 spec.hostname unknown field "hostname" (did you mean "hostnames"?)'],
  ],
  'an unknown field like no other': [
    route(`  matches: [{ path: { wildcard: /x } }]\n${upstreams}`),
    [
      'f.yaml:5:23 spec.matches[0].path.wildcard unknown field "wildcard" (possible: exact, prefix, template, regex)',
    ],
  ],
  'a missing field, at what lacks it': [
    route('  priority: 1'),
    ['f.yaml:4:1 spec.upstreams missing field "upstreams"'],
  ],
  'several of a union': [
    route(`  matches: [{ path: { exact: /, prefix: / } }]\n${upstreams}`),
    [
      'f.yaml:5:21 spec.matches[0].path must have exactly one of exact, prefix, template, regex; has exact and prefix',
    ],
  ],
  'none of a union beside other fields': [
    route('  upstreams: [{ weight: 2 }]'),
    ['f.yaml:5:15 spec.upstreams[0] must have exactly one of name, url; has none'],
  ],
  'a number as a text, and the reverse': [
    route(`  priority: "1"\n  matches: [{ query: [{ name: v, exact: 2 }] }]\n${upstreams}`),
    [
      'f.yaml:5:13 spec.priority must be a whole number, not the text "1" (write 1 without quotes)',
      'f.yaml:6:41 spec.matches[0].query[0].exact must be a text, not 2 (put it in quotes: "2")',
    ],
  ],
  'a duration without a unit': [
    route(`${upstreams}\n  timeouts: { request: 3 }`),
    [
      'f.yaml:6:24 spec.timeouts.request must be a duration such as 250ms, 3s, 1m30s or 1h, not 3 (write a unit: 3s, 3ms)',
    ],
  ],
  'an enum in the wrong case': [
    route(`${upstreams}\n  hostHeader: preserve`),
    [
      'f.yaml:6:15 spec.hostHeader must be one of Preserve, Upstream, not "preserve" (did you mean "Preserve"?)',
    ],
  ],
  'an empty value, at its key': [
    route(`${upstreams}\n  matches:`),
    ['f.yaml:6:3 spec.matches must be a list, but is empty (give it a value or remove the field)'],
  ],
  'host names that no request has': [
    route(`  hostnames: [API.example.com, "*", "a.*.b", "a:80", ok.example.com]\n${upstreams}`),
    [
      'f.yaml:5:15 spec.hostnames[0] must be a host name such as api.example.com or *.example.com, not "API.example.com" (write it as "api.example.com")',
      'f.yaml:5:32 spec.hostnames[1] must be a host name such as api.example.com or *.example.com, not "*" (leave hostnames out to match any host)',
      'f.yaml:5:37 spec.hostnames[2] must be a host name such as api.example.com or *.example.com, not "a.*.b" (a wildcard stands for whole labels at the start: "*.example.com")',
      'f.yaml:5:46 spec.hostnames[3] must be a host name such as api.example.com or *.example.com, not "a:80" (write it without the port; `listeners` chooses the port)',
    ],
  ],
  'paths that no request has': [
    route(
      `  matches:\n  - path: { prefix: users }\n  - path: { template: "/{a}/{a}" }\n  - path: { exact: "/a?b" }\n${upstreams}`,
    ),
    [
      'f.yaml:6:21 spec.matches[0].path.prefix must begin with "/" (did you mean "/users"?)',
      'f.yaml:7:23 spec.matches[1].path.template names the variable "a" twice',
      'f.yaml:8:20 spec.matches[2].path.exact must not contain "?": conditions on the query stand in `query`',
    ],
  ],
  'a regex that is not regular': [
    route(`  matches: [{ headers: [{ name: a, regex: "(a)\\\\1" }] }]\n${upstreams}`),
    [
      'f.yaml:5:43 spec.matches[0].headers[0].regex must be a regular expression: error parsing regexp: invalid escape sequence: `\\1` (RE2 has no look-around and no back references)',
    ],
  ],
  'endpoints that are more than an origin': [
    route('  upstreams:\n  - url: 10.0.0.1:80\n  - url: http://a/b\n  - url: ftp://a\n  - url: http://u:p@a'),
    [
      'f.yaml:6:10 spec.upstreams[0].url must be a URL such as http://10.0.0.1:8080, not "10.0.0.1:80" (did you mean "http://10.0.0.1:80"?)',
      'f.yaml:7:10 spec.upstreams[1].url an endpoint has no path (write "http://a" and add a rewrite middleware for the path)',
      'f.yaml:8:10 spec.upstreams[2].url must begin with http:// or https://, not "ftp://a"',
      'f.yaml:9:10 spec.upstreams[3].url a URL here has no user name and no password',
    ],
  ],
  'listeners that collide': [
    gateway(
      '  listeners:\n  - { name: a, port: 80 }\n  - { name: a, port: 80, address: 127.0.0.1 }\n  - { name: b, port: 70000 }\n',
    ),
    ['f.yaml:8:22 spec.listeners[2].port must be from 1 to 65535, not 70000'],
  ],
  'listeners that collide, once each is good': [
    gateway('  listeners:\n  - { name: a, port: 80 }\n  - { name: a, port: 80, address: 127.0.0.1 }'),
    [
      'f.yaml:7:13 spec.listeners[1].name a second listener named "a"',
      'f.yaml:7:22 spec.listeners[1].port port 80 is taken by listener "a"',
    ],
  ],
  'blocks of addresses': [
    gateway('  trustedProxies: [10.0.0.0/33, "::/0", proxy]'),
    [
      'f.yaml:5:20 spec.trustedProxies[0] must end in a prefix length from /0 to /32, not "/33"',
      'f.yaml:5:41 spec.trustedProxies[2] must be an IP address or a CIDR block such as 10.0.0.0/8, not "proxy"',
    ],
  ],
  'a middleware by what its schema and its own check find': [
    middleware('  scope: route\n  rewrite: { stripPrefix: /a//b }'),
    [
      'f.yaml:5:10 spec.scope must be one of Shared, Route, not "route" (did you mean "Route"?)',
      'f.yaml:6:27 spec.rewrite.stripPrefix "/a//b" has an empty, "." or ".." segment',
    ],
  ],
  'two middlewares in one': [
    middleware('  rewrite: { stripPrefix: /a }\n  query: {}'),
    [
      'f.yaml:5:3 spec must have exactly one of jwt, module, query, rateLimit, requestHeaders, responseHeaders, rewrite; has query and rewrite',
    ],
  ],
  'a part of a key that stands for a list of one': [
    route(`  middlewares:\n  - rateLimit: { requests: 1, per: 0s, key: { claims: sub } }\n${upstreams}`),
    [
      'f.yaml:6:36 spec.middlewares[0].rateLimit.per must be more than 0',
      'f.yaml:6:47 spec.middlewares[0].rateLimit.key[0].claims unknown field "claims" (did you mean "claim"?)',
    ],
  ],
  'kinds and versions of others': [
    'apiVersion: mgateway.dev/v1alpha1\nkind: Rout\nmetadata: { name: r }\n---\napiVersion: v1\nkind: ConfigMap\n---\nkin: Route\n',
    [
      'f.yaml:2:7 kind unknown kind "Rout" (did you mean "Route"?)',
      'f.yaml:5:13 apiVersion unknown apiVersion "v1" (this gateway reads mgateway.dev/v1alpha1)',
      'f.yaml:8:1 kind missing field "kind" (did you mean "kind" by "kin"?)',
    ],
  ],
  'documents that are no mappings': [
    '--- 42\n--- text\n--- []\n--- {}\n',
    [
      'f.yaml:1:5 must be a mapping with apiVersion, kind, metadata and spec',
      'f.yaml:2:5 must be a mapping with apiVersion, kind, metadata and spec',
      'f.yaml:3:5 must be a mapping with apiVersion, kind, metadata and spec',
      'f.yaml:4:5 kind missing field "kind" (possible: Gateway, Route, Upstream, Middleware, RouteTest, Guard)',
    ],
  ],
  'the items of a List': [
    'apiVersion: v1\nkind: List\nitems:\n- { apiVersion: mgateway.dev/v1alpha1, kind: Upstream, metadata: { name: u }, spec: { endpoint: [] } }\n- 3\n',
    [
      'f.yaml:4:79 items[0].spec.endpoints missing field "endpoints"',
      'f.yaml:4:87 items[0].spec.endpoint unknown field "endpoint" (did you mean "endpoints"?)',
      'f.yaml:5:3 items[1] must be a mapping with apiVersion, kind, metadata and spec',
    ],
  ],
  'duplicate, merged and dangerous keys': [
    route(`${upstreams}\n  priority: 1\n  priority: 2\n  <<: {}\n  __proto__: { a: 1 }\n  constructor: 1`),
    [
      'f.yaml:7:3 spec.priority duplicate field "priority"',
      'f.yaml:8:3 spec["<<"] merge keys are not part of YAML 1.2 (write the fields out)',
      'f.yaml:9:3 spec.__proto__ unknown field "__proto__"',
      'f.yaml:10:3 spec.constructor unknown field "constructor" (possible: priority, disabled, listeners, hostnames, matches, middlewares, upstreams, hostHeader, timeouts, drain)',
    ],
  ],
  'a secret where a reference to it belongs, which is not repeated': [
    route(`${upstreams}\n  middlewares: [{ jwt: { issuers: [{ issuer: a, secret: hunter2hunter2 }] } }]`),
    [
      'f.yaml:6:57 spec.middlewares[0].jwt.issuers[0].secret must be a mapping, not a text (its fields: env, file, encoding)',
    ],
  ],
  'a method in small letters and a name in capitals': [
    route(`${upstreams}\n  matches: [{ methods: [get] }]\n  listeners: [My_Listener]`),
    [
      'f.yaml:6:25 spec.matches[0].methods[0] must be an HTTP method in capital letters, not "get" (did you mean "GET"?)',
      'f.yaml:7:15 spec.listeners[0] must be a name of lower-case letters, digits and "-", not "My_Listener" (did you mean "my-listener"?)',
    ],
  ],
  'anchors that lead nowhere or in a circle': [
    route(`${upstreams}\n  hostnames: *nope\n  matches: &m [{ headers: *m }]`),
    [
      'f.yaml:6:14 spec.hostnames there is no anchor &nope before this alias in the document (a text that begins with * needs quotes: "*nope")',
      'f.yaml:7:27 spec.matches[0].headers the alias *m stands inside its own anchor',
    ],
  ],
  'tags, odd numbers and control characters': [
    route(`${upstreams}\n  drain: !env PATH\n  priority: .inf\n  hostHeader: "a\\r\\nX: 1"`),
    [
      'f.yaml:6:15 spec.drain the tag !env is not supported (remove the tag)',
      'f.yaml:7:13 spec.priority is not a finite number',
      'f.yaml:8:15 spec.hostHeader has a control character in its text',
    ],
  ],
};

/** What refuses a file whole. */
const broken: Readonly<Record<string, readonly [text: string | Buffer, problems: readonly string[]]>> = {
  'no UTF-8': [Buffer.from('a: b\nc: \xff', 'latin1'), ['f.yaml:2:4 is not UTF-8']],
  'a character that is cut off': [
    Buffer.concat([Buffer.from('é: é'), Buffer.of(0xe2, 0x82)]),
    ['f.yaml:1:5 is not UTF-8'],
  ],
  'UTF-16': [
    Buffer.from('\ufeffa: b', 'utf16le'),
    ['f.yaml is not UTF-8 but UTF-16 or UTF-32 (save it as UTF-8)'],
  ],
  'a NUL': ['a: 1\r\nb: \0', ['f.yaml:2:4 has a control character (U+0000)']],
  'too many bytes': ['#'.repeat(2001), ['f.yaml has 2001 bytes; a file may have at most 2000']],
  tabs: ['a:\n\tb: 1\n', ['f.yaml:2:1 not YAML: tabs are not allowed as indentation (indent with spaces)']],
  'an unclosed bracket': [
    '# c\n---\nb: [1,\n',
    ['f.yaml:4:1 not YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  'a template that was not rendered': [
    'kind: Route\nmetadata: { name: {{ .Release.Name }} }\n',
    [
      'f.yaml:2:20 not YAML: the name of a field must be a text (a text that begins with { or [ needs quotes, and templates such as {{ … }} must be rendered before)',
    ],
  ],
  'no blank behind a colon': [
    'apiVersion: mgateway.dev/v1alpha1\nkind:Route\nmetadata: { name: a }\n',
    [
      'f.yaml:2:1 not YAML: implicit keys need to be on a single line (a field is written "name: value", with a blank after the colon)',
    ],
  ],
  'nesting without end': ['a: ' + '['.repeat(1000), ['f.yaml:1:67 nested more than 64 levels deep']],
};

describe('createParser: problems', () => {
  for (const [what, [text, problems]] of Object.entries(table)) {
    it(`names ${what}`, () => {
      const file = parseText(openTestParser(), text);
      expect(printProblems(file)).to.deep.equal(problems);
      expect(file.whole).to.equal(true);
    });
  }

  for (const [what, [text, problems]] of Object.entries(broken)) {
    it(`refuses a file whole for ${what}`, () => {
      const file = parseText(openTestParser({ maxFileBytes: 2000 }), text);
      expect(printProblems(file)).to.deep.equal(problems);
      expect(file.whole).to.equal(false);
    });
  }

  it('bounds what aliases add', () => {
    const lines = ['a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]'];
    for (let i = 1; i < 10; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const file = parseText(openTestParser(), lines.join('\n'));
    expect(
      printProblems(file).filter((line) => line.includes('aliases make the document too large')),
    ).to.have.length(1);
  });
});
