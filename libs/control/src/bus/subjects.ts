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
  let patternAt = 0;
  let subjectAt = 0;
  while (patternAt < pattern.length && subjectAt < subject.length) {
    const token = pattern.charAt(patternAt);
    if (token === '>') return true;
    const patternEnd = endOfToken(pattern, patternAt);
    const subjectEnd = endOfToken(subject, subjectAt);
    if (token !== '*') {
      const length = patternEnd - patternAt;
      if (length !== subjectEnd - subjectAt || !subject.startsWith(pattern.slice(patternAt, patternEnd), subjectAt)) {
        return false;
      }
    }
    patternAt = patternEnd + 1;
    subjectAt = subjectEnd + 1;
  }
  return patternAt > pattern.length && subjectAt > subject.length;
}

function endOfToken(text: string, from: number): number {
  const end = text.indexOf('.', from);
  return end === -1 ? text.length : end;
}
