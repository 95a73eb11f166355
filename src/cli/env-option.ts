import type { Option } from 'commander';

/** Lets a variable stand for the option; an empty one, as templates leave it where nothing was set, for nothing. */
export function fromVariable(option: Option, name: string): Option {
  // commander looks here too, and takes what is empty for a value.
  return process.env[name] === '' ? option : option.env(name);
}
