/**
 * Makes everything that follows from the `.proto` files: TypeScript, the descriptor image and the API page. Offline.
 *
 *   npm run generate -w @mediaplane/proto             refuses a change that breaks the wire
 *   npm run generate -w @mediaplane/proto -- --break  for one that is meant
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiPage } from './api-page.ts';

const packageDir = fileURLToPath(new URL('..', import.meta.url));
const bufScript = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url));

export interface GeneratedPaths {
  /** Folder of the TypeScript, emptied first. */
  readonly code: string;
  readonly image: string;
  readonly apiPage: string;
}

export const COMMITTED: GeneratedPaths = {
  code: join(packageDir, 'src/gen'),
  image: join(packageDir, 'image.binpb'),
  apiPage: fileURLToPath(new URL('../../../docs/api.md', import.meta.url)),
};

/** Runs buf in the package's folder. @throws Error with buf's own report when it fails. */
export function buf(...args: string[]): string {
  return execFileSync(process.execPath, [bufScript, ...args], { cwd: packageDir, encoding: 'utf8', stdio: 'pipe' });
}

export function generate(paths: GeneratedPaths): void {
  const template = readFileSync(join(packageDir, 'buf.gen.yaml'), 'utf8').replace('out: src/gen', `out: ${paths.code}`);
  const scratch = mkdtempSync(join(tmpdir(), 'mediaplane-proto-'));
  try {
    const templateFile = join(scratch, 'buf.gen.yaml');
    const commentedImage = join(scratch, 'commented.binpb');
    writeFileSync(templateFile, template);
    buf('generate', '--template', templateFile);
    buf('build', '--exclude-source-info', '-o', paths.image);
    buf('build', '-o', commentedImage);
    mkdirSync(join(paths.apiPage, '..'), { recursive: true });
    writeFileSync(paths.apiPage, apiPage(readFileSync(commentedImage)));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    buf('lint');
    buf('format', '--diff', '--exit-code');
    if (existsSync(COMMITTED.image) && !process.argv.includes('--break')) buf('breaking', '--against', COMMITTED.image);
    generate(COMMITTED);
  } catch (error) {
    const report = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    console.error(report || error);
    process.exitCode = 1;
  }
}
