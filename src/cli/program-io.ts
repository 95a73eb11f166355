/** The process as commands see it; main.ts hands in the real one. */
export interface ProgramIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** A person sits at the terminal: Ctrl-C means now. */
  readonly interactive: boolean;
  readonly onSignal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void) => void;
  /** The program that started this one, and keeps a channel to it, has gone. */
  readonly onParentGone: (listener: () => void) => void;
}

export interface Output {
  write(text: string): unknown;
}
