/**
 * Control characters of ASCII and of ISO 6429 (C1), line and paragraph separators, and what turns the direction of writing: each
 * can begin a line of its own, steer a terminal, or make a line read as another one.
 */
const steering = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A line to be read, whoever chose the text: what steers stands there as `\u001b`. JSON stays the same JSON. */
export function visible(text: string): string {
  return text.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
