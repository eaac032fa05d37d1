/** Rows of cells as aligned text. The first column is flush left, the others as `align` says. */
export function table(rows: readonly (readonly string[])[], align: 'left' | 'right', indent = 2): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      pad(cell, widths[column], column === 0 || align === 'left' ? 'right' : 'left'),
    );
    return `${' '.repeat(indent)}${cells.join('   ')}`.trimEnd();
  });
}

/** Name and value side by side, values flush left. */
export function fields(pairs: readonly (readonly [name: string, value: string])[], indent = 2): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${' '.repeat(indent)}${name.padEnd(width)}   ${value}`.trimEnd());
}

/** `side` is where the blanks go. Counted in code points: block characters of a plot are one column each. */
function pad(text: string, width: number, side: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - [...text].length));
  return side === 'left' ? blanks + text : text + blanks;
}
