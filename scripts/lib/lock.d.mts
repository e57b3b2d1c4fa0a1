/** For src/, which is compiled without looking into JavaScript; lock.mjs says what it does. */
export function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options?: { say?: (line: string) => void; doing?: string; patience?: number; signal?: AbortSignal },
): Promise<T>;
export function noteChild(file: string, child: number | undefined): void;
