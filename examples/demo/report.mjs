// What the demo prints: aligned tables, and a count of the figures that are not as promised.

/** Columns as wide as their widest cell; the first is flush left, numbers flush right. */
function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const cell = (text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]));
  return rows.map((row) => `  ${row.map((text, column) => cell(String(text), column)).join("   ")}`.trimEnd());
}

export function createReport(print) {
  let sections = 0;
  const wrong = [];
  return {
    wrong,
    section: (title) => print(`\n${++sections}. ${title}`),
    table: (head, rows) => align([head, ...rows]).forEach((line) => print(line)),
    note: (text) => print(`  ${text}`),
    /** Says so if a figure is not what was promised. */
    expect(holds, promise) {
      if (holds) return;
      wrong.push(promise);
      print(`  WRONG. Promised: ${promise}`);
    },
  };
}

/** Milliseconds for readers. */
export function showMs(ms) {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
