/** NATS subject rules: tokens joined by `.`; in a pattern `*` is any one token and a last `>` is one or more. */
const SUBJECT = /^[^\s.*>]+(\.[^\s.*>]+)*$/;
const PATTERN = /^([^\s.*>]+|\*)(\.([^\s.*>]+|\*))*(\.>)?$|^>$/;

export function isSubject(text: string): boolean {
  return SUBJECT.test(text);
}

export function isPattern(text: string): boolean {
  return PATTERN.test(text);
}

export function hasWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>');
}

export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] === '>') return tokens.length > index;
    if (index >= tokens.length) return false;
    if (wanted[index] !== '*' && wanted[index] !== tokens[index]) return false;
  }
  return wanted.length === tokens.length;
}
