/**
 * Why a message is refused. Codes are stable and shown to clients (docs/errors.md); the status is what RFC 9110 §15 and
 * RFC 9112 ask for. A fault is a value, not an exception: refusing is ordinary work on a public port.
 */
type RequestFaultStatus = 400 | 408 | 413 | 414 | 417 | 431 | 501 | 505;

export class HeadFault {
  readonly status: RequestFaultStatus;
  readonly code: string;

  constructor(status: RequestFaultStatus, code: string) {
    this.status = status;
    this.code = code;
  }
}

/** Every way in which the codec refuses a request by itself. */
export const REQUEST_FAULTS = {
  requestLine: new HeadFault(400, 'ERR_REQUEST_LINE_INVALID'),
  target: new HeadFault(400, 'ERR_REQUEST_TARGET_INVALID'),
  targetTooLong: new HeadFault(414, 'ERR_REQUEST_TARGET_TOO_LONG'),
  version: new HeadFault(400, 'ERR_REQUEST_VERSION_INVALID'),
  versionUnsupported: new HeadFault(505, 'ERR_REQUEST_VERSION_UNSUPPORTED'),
  connect: new HeadFault(501, 'ERR_REQUEST_CONNECT_UNSUPPORTED'),
  field: new HeadFault(400, 'ERR_REQUEST_HEADER_INVALID'),
  headTooLarge: new HeadFault(431, 'ERR_REQUEST_HEADERS_TOO_LARGE'),
  host: new HeadFault(400, 'ERR_REQUEST_HOST_INVALID'),
  framing: new HeadFault(400, 'ERR_REQUEST_FRAMING_INVALID'),
  transferCoding: new HeadFault(501, 'ERR_REQUEST_TRANSFER_CODING_UNSUPPORTED'),
  expectation: new HeadFault(417, 'ERR_REQUEST_EXPECTATION_UNSUPPORTED'),
  body: new HeadFault(400, 'ERR_REQUEST_BODY_INVALID'),
  bodyTooLarge: new HeadFault(413, 'ERR_REQUEST_BODY_TOO_LARGE'),
  headTimeout: new HeadFault(408, 'ERR_REQUEST_HEAD_TIMEOUT'),
  bodyTimeout: new HeadFault(408, 'ERR_REQUEST_BODY_TIMEOUT'),
} as const;

/** An upstream's answer that must not be passed on; the client gets 502. */
export class ResponseFault {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

export const RESPONSE_FAULTS = {
  statusLine: new ResponseFault('ERR_UPSTREAM_STATUS_LINE_INVALID'),
  field: new ResponseFault('ERR_UPSTREAM_HEADER_INVALID'),
  headTooLarge: new ResponseFault('ERR_UPSTREAM_HEADERS_TOO_LARGE'),
  framing: new ResponseFault('ERR_UPSTREAM_FRAMING_INVALID'),
  body: new ResponseFault('ERR_UPSTREAM_BODY_INVALID'),
  switched: new ResponseFault('ERR_UPSTREAM_SWITCHED_UNASKED'),
  unexpected: new ResponseFault('ERR_UPSTREAM_UNEXPECTED_BYTES'),
} as const;
