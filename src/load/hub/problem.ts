/** What else is known about a fault. */
interface Fault {
  /** It may pass: worth another try. Default false. */
  readonly transient?: boolean;
  /** How long the other side asks to wait, in ms. */
  readonly wait?: number;
  readonly cause?: unknown;
}

/** Something could not be fetched; the message says what, why, and what to do. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly transient: boolean;
  readonly wait: number;
  constructor(message: string, { transient = false, wait = 0, cause }: Fault = {}) {
    super(message, { cause });
    this.transient = transient;
    this.wait = wait;
  }
}

const FULL = ["ENOSPC", "EDQUOT"];
const FORBIDDEN = [
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EEXIST",
  "EISDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "ENOENT",
  "EINVAL",
];

/**
 * A fault of the file system in words; any other error as it is.
 * @param folder the cache that was written to
 * @param advice which variable chooses another folder
 */
export function diskProblem(error: unknown, folder: string, advice: string): unknown {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (FULL.includes(code))
    return new HubError(
      `the disk of ${folder} is full (${message}). What has arrived is kept: free space and run it again, or ${advice}`,
      { cause: error },
    );
  if (FORBIDDEN.includes(code))
    return new HubError(`${folder} can not be written to (${message}): mend its rights, or ${advice}`, {
      cause: error,
    });
  return error;
}
