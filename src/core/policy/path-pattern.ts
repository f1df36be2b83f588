/**
 * Patterns for names and paths: `?` one character, `*` any run without `/`, `**` any run.
 *
 * Layer: core. Linear in practice and bounded by |pattern| × |text|: an admin's pattern cannot
 * make the agent hang. `*` and `?` mean what fnmatch(3) means by them, so that sealfs agrees.
 * Brackets and braces are literal characters.
 */

type Token = 'one' | 'run' | 'deep' | { readonly literal: string };

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = Array.from(pattern);
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    if (character === '?') tokens.push('one');
    else if (character !== '*') tokens.push({ literal: character });
    else if (characters[i + 1] === '*') {
      tokens.push('deep');
      i += 1;
    } else tokens.push('run');
  }
  return tokens;
}

function accepts(token: Token, character: string): boolean {
  if (token === 'deep') return true;
  if (token === 'one' || token === 'run') return character !== '/';
  return token.literal === character;
}

/** Adds to `states` what is reachable without a character: a run may be empty. */
function close(states: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const state of states) {
    const token = tokens[state];
    if (token === 'run' || token === 'deep') states.add(state + 1);
  }
  return states;
}

function step(states: Set<number>, tokens: readonly Token[], character: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const token = tokens[state];
    if (token === undefined || !accepts(token, character)) continue;
    next.add(token === 'run' || token === 'deep' ? state : state + 1);
  }
  return close(next, tokens);
}

/** Whether `pattern` matches the whole of `text`. Case counts. */
export function matchesPattern(pattern: string, text: string): boolean {
  const tokens = tokenize(pattern);
  let states = close(new Set([0]), tokens);
  for (const character of text) {
    states = step(states, tokens, character);
    if (states.size === 0) return false;
  }
  return states.has(tokens.length);
}
