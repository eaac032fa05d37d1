/** Whether `text` fits `pattern`, in which `*` stands for any characters and everything else for itself. Takes no more than both lengths multiplied. */
export function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0];
  if (parts.length === 1) return text === pattern;
  const last = parts[parts.length - 1];
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  // What lies between the stars: the leftmost place for each leaves most for those behind it.
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
