import { createWriteStream, mkdirSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { dirname } from 'node:path';

const WARNING_LEVELS = new Set(['warn', 'error', 'fatal']);

/** Where the services' log lines go while a person looks at the terminal. Warnings are kept for the report. */
export class LogFile {
  readonly path: string;
  readonly warnings: string[] = [];
  private readonly stream: WriteStream;

  /** Starts the file anew. @throws Error when its folder cannot be made */
  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.stream = createWriteStream(path);
    // A log that cannot be written is no reason to end a call: said once, among the warnings.
    this.stream.once('error', (error) => this.warnings.push(`the log cannot be written: ${error.message}`));
  }

  /** One line of JSON, from pino. */
  write(line: string): void {
    this.stream.write(line);
    const warning = warningOf(line);
    if (warning !== undefined) this.warnings.push(warning);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.stream.end(() => resolve()));
  }
}

function warningOf(line: string): string | undefined {
  try {
    const { level, msg, service } = JSON.parse(line);
    return WARNING_LEVELS.has(level) ? `${service}: ${msg}` : undefined;
  } catch {
    return undefined;
  }
}
