/**
 * Which files stay as they are: glob patterns as policy writes them (`.~lock.*#`, `~$*`, `*.tmp`).
 *
 * Layer: agent. A pattern without `/` is for base names anywhere; one with `/` is for the whole
 * path below the folder. Names that begin with a dot are matched like others.
 */
import picomatch from 'picomatch';

/** @returns a function that says whether a path below the folder is excluded. */
export function excludeByPatterns(patterns: readonly string[]): (path: string) => boolean {
  const options = { dot: true, nonegate: true, noextglob: true };
  const base = patterns.filter((pattern) => !pattern.includes('/'));
  const whole = patterns.filter((pattern) => pattern.includes('/'));
  const matchesBase = picomatch([...base], options);
  const matchesWhole = picomatch([...whole], options);
  return (path) => matchesBase(path.slice(path.lastIndexOf('/') + 1)) || matchesWhole(path);
}
