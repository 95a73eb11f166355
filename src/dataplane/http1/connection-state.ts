/** Where a client connection stands; numbers, in the order that its comparisons rely on. */

/** Between requests, or in the middle of a head. */
export const HEAD = 0;
/** An exchange is on and its request body is coming. */
export const BODY = 1;
/** The request is whole, the answer is not. */
export const ANSWER = 2;
/** Answered early: a short rest of the request body is dropped to keep the connection. */
export const DISCARD = 3;
/** Answered, but the client has not taken it: no further request until it has. */
export const FLUSH = 4;
/** Our side is closed; what still comes is dropped so that our answer is not reset away. */
export const LINGER = 5;
export const CLOSED = 6;

export type ConnectionState = 0 | 1 | 2 | 3 | 4 | 5 | 6;
