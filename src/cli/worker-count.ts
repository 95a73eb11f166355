/** What of the machine decides how many workers can share a listener. */
export interface Machine {
  /** `process.versions.node` */
  readonly nodeVersion: string;
  /** `process.platform` */
  readonly platform: string;
  /** CPUs that this process may use. */
  readonly parallelism: number;
}

/** More workers than this are asked for by number, not guessed. */
const mostByItself = 8;

/**
 * Workers to start.
 * @throws RangeError if several are asked for where they cannot share a port.
 */
export function countWorkers(asked: number | 'auto', machine: Machine): number {
  const reason = whyNotSeveral(machine);
  if (asked === 'auto') return reason === undefined ? Math.min(machine.parallelism, mostByItself) : 1;
  if (asked > 1 && reason !== undefined) {
    throw new RangeError(`--workers ${asked}: several workers cannot share a port here: ${reason}`);
  }
  return asked;
}

/** Several workers listen on one port by SO_REUSEPORT. */
function whyNotSeveral({ nodeVersion, platform }: Machine): string | undefined {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 12) || (major === 23 && minor < 1)) {
    return `that needs Node 22.12 or newer, this is ${nodeVersion}`;
  }
  return platform === 'linux' ? undefined : `${platform} does not balance connections between them`;
}
